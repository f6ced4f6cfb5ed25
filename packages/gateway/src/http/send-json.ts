import type { ServerResponse } from "node:http";

export type JsonAnswer = {
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** Sends an object as JSON, or a text as it is, and ends the answer. */
export function sendJson(response: ServerResponse, status: number, { body, headers }: JsonAnswer): void {
  if (response.destroyed) return;
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers, "content-length": bytes.length });
  response.end(bytes);
}
