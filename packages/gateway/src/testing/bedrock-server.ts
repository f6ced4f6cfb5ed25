import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { frame } from "@handrail/models/testing/event-stream-frame";

export type BedrockServer = {
  readonly baseUrl: string;
  /** What was asked, oldest first. */
  readonly asked: { path: string; body: Record<string, unknown> }[];
  close(): Promise<void>;
};

/** A server that answers each request with the same bytes, as Bedrock does. */
export async function bedrockServer(status: number, answer: Buffer, contentType: string): Promise<BedrockServer> {
  const asked: BedrockServer["asked"] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as Record<string, unknown>;
      asked.push({ path: decodeURIComponent(request.url ?? ""), body });
      response.writeHead(status, { "content-type": contentType });
      // Cut in the middle of a frame.
      response.write(answer.subarray(0, answer.length >> 1));
      setImmediate(() => response.end(answer.subarray(answer.length >> 1)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const EVENT_STREAM = "application/vnd.amazon.eventstream";

/** Messages of the AWS event stream encoding (Amazon Transcribe guide, "Event stream encoding"). */
export function frames(...events: readonly (readonly [type: string, payload: object])[]): Buffer {
  return Buffer.concat(events.map(([type, payload]) => frame(type, payload)));
}
