import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as send,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayProcess } from "./gateway-process.ts";

const EVENT = `data: ${JSON.stringify({ id: "x", model: "bench", choices: [{ index: 0, delta: { content: "a" } }] })}\n\n`;
const WHOLE = JSON.stringify({ id: "x", model: "bench", choices: [{ message: { role: "assistant", content: "a" } }] });

/** How a call is cut: before anything of its answer came, or after the first event of a stream. */
export type Cut = "json" | "stream";

/** A provider in this process, whose answers to the user `hold` never end, and the gateway in front of it. */
export type Holding = {
  /** Milliseconds from the client's leaving to the end of the provider's connection. */
  leave(cut: Cut): Promise<number>;
  stop(): Promise<void>;
};

/** `start` gives a gateway in front of the port. */
export async function holdingProvider(start: (port: number) => Promise<GatewayProcess>): Promise<Holding> {
  let held = Promise.withResolvers<ServerResponse>();
  const server = createServer((request, response) => {
    answer(request, response, (each) => held.resolve(each)).catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const gateway = await start((server.address() as AddressInfo).port);
  return {
    async leave(cut) {
      held = Promise.withResolvers();
      const call = begin(gateway, cut);
      const provider = await held.promise;
      if (cut === "stream") await firstByte(call);
      await sleep(2);
      const ended = once(provider, "close").then(() => performance.now());
      const before = performance.now();
      call.destroy();
      return (await ended) - before;
    },
    async stop() {
      await gateway.stop();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, hold: (response: ServerResponse) => void) {
  const body = Buffer.concat(await request.toArray()).toString("utf8");
  if (!body.includes('"user":"hold"')) {
    response.writeHead(200, { "content-type": "application/json" }).end(WHOLE);
    return;
  }
  if (body.includes('"stream":true')) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(EVENT);
  }
  hold(response);
}

function begin({ port, headers }: GatewayProcess, cut: Cut): ClientRequest {
  const messages = [{ role: "user", content: "Say something." }];
  const call = send({
    host: "127.0.0.1",
    port,
    path: "/v1/chat/completions",
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
  });
  call.on("error", () => undefined);
  call.end(JSON.stringify({ model: "bench", messages, stream: cut === "stream", user: "hold" }));
  return call;
}

async function firstByte(call: ClientRequest): Promise<void> {
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.on("error", () => undefined);
  await once(response, "data");
}
