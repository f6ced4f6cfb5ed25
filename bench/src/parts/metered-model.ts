import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerOf } from "@handrail/scripted-model/answer";
import { openAiFormat } from "@handrail/scripted-model/openai-format";
import { type Asked, type ChatRequest, readBody, readChat } from "@handrail/scripted-model/request";
import type { Turn } from "@handrail/scripted-model/script";

/** One request with tools and its answer. Times are of `performance.now()`. */
export type Exchange = {
  /** When the head of the request was here. */
  readonly arrivedMs: number;
  /** When the last byte of the answer was handed to the kernel. */
  readonly endedMs: number;
  readonly requestBytes: number;
  /** System and developer messages as text, and the tools as JSON. */
  readonly systemBytes: number;
  readonly toolsBytes: number;
  readonly tools: readonly string[];
};

export type MeteredModel = {
  /** Of the OpenAI API, ending in `/v1`. */
  readonly baseUrl: string;
  /** Exchanges since the last `reset`, in order. */
  exchanges(): readonly Exchange[];
  reset(): void;
  close(): Promise<void>;
};

type Body = ChatRequest & { readonly tools?: readonly RequestTool[] };
type RequestTool = {
  readonly function: {
    readonly name: string;
    readonly parameters?: {
      readonly properties?: Readonly<Record<string, { readonly type?: string }>>;
      readonly required?: readonly string[];
    };
  };
};

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const SHELLS = ["terminal", "bash", "shell"];

/**
 * A model over the OpenAI wire format that asks any agent, in the agent's own words, to run `true` in its shell tool
 * `steps` times, and notes when requests came and answers left. Requests without tools (titles) are not counted.
 */
export async function meteredModel(steps: number): Promise<MeteredModel> {
  let exchanges: Exchange[] = [];
  const server = createServer((request, response) => {
    const arrivedMs = performance.now();
    serve(request, response, steps)
      .then(async (measured) => {
        if (measured !== undefined) exchanges.push({ ...measured, arrivedMs, endedMs: await finished(response) });
      })
      .catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    exchanges: () => exchanges,
    reset: () => (exchanges = []),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, steps: number) {
  const text = await readBody(request, MAX_BODY_BYTES);
  if (request.method !== "POST") return void response.end(JSON.stringify({ object: "list", data: [{ id: "bench" }] }));
  const body = JSON.parse(text) as Body;
  const asked = readChat(body, {}, text.length);
  if (typeof asked === "string") return void response.writeHead(400).end(asked);
  send(response, asked, turnFor(body, steps));
  const { tools } = body;
  if (tools === undefined || tools.length === 0) return undefined;
  return {
    requestBytes: Buffer.byteLength(text),
    systemBytes: Buffer.byteLength(systemText(body)),
    toolsBytes: Buffer.byteLength(JSON.stringify(tools)),
    tools: tools.map((tool) => tool.function.name),
  };
}

function send(response: ServerResponse, asked: Asked, turn: Turn): void {
  const answer = answerOf(turn, { model: asked.model, turn: asked.answers + 1, asked });
  if (asked.stream) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(openAiFormat.events(answer).join(""));
  } else {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(openAiFormat.whole(answer)));
  }
}

function finished(response: ServerResponse): number | Promise<number> {
  if (response.writableFinished) return performance.now();
  return once(response, "finish").then(() => performance.now());
}

const answersIn = (body: Body) => body.messages.filter((message) => message.role === "assistant").length;

/** The commands differ, so that no agent thinks that it goes in circles. */
function turnFor(body: Body, steps: number): Turn {
  const shell = body.tools?.find((tool) => SHELLS.includes(tool.function.name));
  if (shell === undefined) return { text: "Bench" };
  if (answersIn(body) >= steps) return { text: "Done." };
  return { calls: [{ tool: shell.function.name, arguments: argumentsFor(shell) }] };
}

function argumentsFor({ function: { parameters } }: RequestTool): Record<string, string | number> {
  const required = (parameters?.required ?? []).filter((name) => name !== "command");
  const others = required.map((name) => [name, parameters?.properties?.[name]?.type === "number" ? 60_000 : "bench"]);
  return { command: "true {{turn}}", ...Object.fromEntries(others) };
}

function systemText(body: Body): string {
  return body.messages
    .filter(({ role }) => role === "system" || role === "developer")
    .map(({ content }) => (typeof content === "string" ? content : partsText(content)))
    .join("\n");
}

function partsText(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return content
    .map((part: { readonly text?: unknown }) => (typeof part.text === "string" ? part.text : ""))
    .join("\n");
}

/** From the end of each answer to the arrival of the next request, in milliseconds: the agent and its command. */
export function gapsOf(exchanges: readonly Exchange[]): number[] {
  return exchanges.slice(1).map((exchange, index) => exchange.arrivedMs - (exchanges[index]?.endedMs ?? Number.NaN));
}

/** Time that requests spent with the model, in milliseconds. */
export function modelMs(exchanges: readonly Exchange[]): number {
  return exchanges.reduce((sum, exchange) => sum + exchange.endedMs - exchange.arrivedMs, 0);
}
