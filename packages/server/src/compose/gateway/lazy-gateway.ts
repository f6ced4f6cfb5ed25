import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toAppError } from "@handrail/protocol/errors";
import type { GatewayAdmin } from "../../gateway/gateway-admin.ts";
import type { PaidModels } from "./gateway-models.ts";

/** The gateway within the server, opened. */
export type GatewayHost = {
  readonly admin: GatewayAdmin;
  readonly paid: PaidModels;
  /** Answers, with 404 where the path is not the gateway's. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** What it has counted, in Prometheus' text format. */
  metrics(): Promise<string>;
  close(): Promise<void>;
};

/** The gateway, opened when it is first needed: an idle server has neither its code nor its database in memory. */
export type LazyGateway = {
  /** @throws AppError `storage_failed`, `storage_full`, `storage_newer`, `state_locked` */
  open(): Promise<GatewayHost>;
  /** Undefined while nobody has needed it. */
  opened(): GatewayHost | undefined;
  /** Answers a request for a model, from anyone who has a key. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
};

/** `start` is given the address at which this process reaches the gateway, without a path. */
export function lazyGateway(start: (url: string) => Promise<GatewayHost>): LazyGateway {
  let opening: Promise<GatewayHost> | undefined;
  let opened: GatewayHost | undefined;
  let inside: Server | undefined;
  const open = async () => {
    // Agents' own calls come in here: on loopback, whatever address people use, and not by way of their proxies.
    const server = createServer((request, response) => answer(request, response));
    server.listen(0, "127.0.0.1").unref();
    await once(server, "listening");
    try {
      opened = await start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } catch (thrown) {
      server.close();
      throw thrown;
    }
    inside = server;
    return opened;
  };
  const started = () => {
    opening ??= open();
    opening.catch(() => (opening = undefined));
    return opening;
  };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    started()
      .then((host) => host.handle(request, response))
      .catch((thrown: unknown) => refuse(response, thrown));
  };
  return {
    open: started,
    answer,
    opened: () => opened,
    async close() {
      await opening?.catch(() => undefined);
      inside?.close();
      inside?.closeAllConnections();
      await opened?.close();
    },
  };
}

/** The gateway itself could not be opened. */
function refuse(response: ServerResponse, thrown: unknown): void {
  const { code, message } = toAppError(thrown);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ error: { message, type: code, param: null, code: "503" } });
  response.writeHead(503, { "content-type": "application/json", "x-handrail-error": code }).end(body);
}
