import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A provider of Chat Completions whose every byte a test writes itself. */
export type HandWrittenProvider = {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  readonly close: () => Promise<void>;
};

/** `answer` is given each request whole, and the answer to write. */
export async function handWrittenProvider(
  answer: (response: ServerResponse, body: string) => unknown,
): Promise<HandWrittenProvider> {
  const server = createServer((request, response) => {
    bodyOf(request)
      .then((body) => answer(response, body))
      .catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => closed(server),
  };
}

/** One that answers nothing until it is let `go`, and then each request with an empty answer. `came`: it has a request. */
export async function heldProvider() {
  const came = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const provider = await handWrittenProvider(async (response) => {
    came.resolve();
    await go.promise;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices: [] }));
  });
  return { ...provider, came: came.promise, go: go.resolve };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += String(part);
  return body;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}

/** An event of Chat Completions. */
export const chatEvent = (event: object) => `data: ${JSON.stringify({ id: "c1", ...event })}\n\n`;

/** One with a piece of text, or with none and the reason why there is no more. */
export const textEvent = (content: string) => chatEvent({ choices: [{ index: 0, delta: { content } }] });
export const finishEvent = chatEvent({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
export const usageEvent = (promptTokens: number, answerTokens: number) =>
  chatEvent({ choices: [], usage: { prompt_tokens: promptTokens, completion_tokens: answerTokens } });
export const DONE_EVENT = "data: [DONE]\n\n";
