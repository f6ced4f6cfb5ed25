import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { join } from "node:path";
import { EGRESS_PORT } from "@handrail/sandboxes/sandbox-environment";
import { AppError } from "@handrail/protocol/errors";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { PreviewHandlerParts } from "../handlers/preview-handlers.ts";
import { passes as signedPasses } from "../previews/passes.ts";
import { portWatch } from "../previews/port-watch.ts";
import { type PreviewAddress, type PreviewPlace, previewAddress } from "../previews/preview-address.ts";
import { previewBase } from "../previews/preview-base.ts";
import { previewServer } from "../previews/preview-server.ts";
import { previews as showPreviews } from "../previews/previews.ts";
import { openShares, SharesFile } from "../previews/shares.ts";
import { jsonFile } from "../settings/json-file.ts";
import type { ConversationsHost } from "./conversations.ts";
import type { State } from "./state.ts";

/** What shows ports of sandboxes: its routes' handlers, and a server of its own. */
export type PreviewHost = PreviewHandlerParts & {
  /** @throws AppError `port_taken` when the port that was asked for is taken */
  listen(): Promise<void>;
  close(): void;
};

type Parts = {
  readonly config: Config;
  readonly state: State;
  readonly host: ConversationsHost;
  readonly cookieName: string;
};

export async function hostPreviews({ config, state, host, cookieName }: Parts): Promise<PreviewHost> {
  const { log, secrets, sessions } = state;
  const now = () => systemClock.now();
  const closing = new AbortController();
  let address: PreviewAddress | undefined;
  const passes = signedPasses(secrets.deriveKey("preview passes"), now);
  const shares = await openShares(jsonFile(join(config.home, "shares.json"), SharesFile), now);
  const { ownerOf } = host.conversations;
  const previews = showPreviews({
    address: () => address,
    passes,
    shares,
    sessions,
    ownerOf,
    ownPorts: [EGRESS_PORT],
    now,
  });
  let server: Server | undefined;
  return {
    previews,
    watch: portWatch({ ...host, signal: closing.signal }),
    available: () => address !== undefined,
    async listen() {
      if (previewBase(config, 0) === undefined) return;
      server = previewServer({
        address: () => address,
        passes,
        admits: (pass) => previews.admits(pass),
        connect: (place, signal) => connectTo(host, place, signal),
        cookieName: `${cookieName.replace("__Host-", "")}_preview`,
        onFailure: (thrown) => log.error({ err: thrown }, "a preview failed"),
      });
      const base = previewBase(config, await listenOn(server, config));
      address = base === undefined ? undefined : previewAddress(base);
    },
    close() {
      closing.abort(new Error("The server stops."));
      server?.close();
      server?.closeAllConnections();
    },
  };
}

/** The sandbox counts as in use as long as the connection is open. */
async function connectTo(host: ConversationsHost, { conversationId, port }: PreviewPlace, signal: AbortSignal) {
  const journal = await host.journals.get(conversationId);
  const sandbox = await host.sandboxes.find(journal, signal);
  if (sandbox === undefined || sandbox.backend === "none") {
    throw new AppError("port_closed", "The conversation's sandbox does not run, so there is nothing to show.");
  }
  const connection = await sandbox.connect(port, signal);
  const release = host.sandboxes.hold(conversationId);
  signal.addEventListener("abort", release, { once: true });
  return connection;
}

async function listenOn(server: Server, { host, port, preview }: Config): Promise<number> {
  const wanted = preview.port ?? (port === 0 || port === 65_535 ? 0 : port + 1);
  try {
    return await listenAt(server, host, wanted);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE" && preview.port === undefined) throw cause;
    if (preview.port === undefined) return listenAt(server, host, 0);
    const message = `Port ${wanted} on ${host} cannot be used for previews. Choose another with --preview-port.`;
    throw new AppError("port_taken", message, { port: wanted, host }, { cause });
  }
}

async function listenAt(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port }, () => {
    server.off("error", reject);
    resolve();
  });
  await promise;
  return (server.address() as AddressInfo).port;
}
