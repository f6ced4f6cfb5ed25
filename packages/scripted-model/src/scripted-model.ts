import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError } from "@handrail/protocol/errors";
import { z } from "zod";
import { answerOf } from "./answer.ts";
import { anthropicFormat } from "./anthropic-format.ts";
import { type Attempts, attempts } from "./attempts.ts";
import { openAiFormat } from "./openai-format.ts";
import { play, sendJson } from "./play.ts";
import { type RecordedRequest, type Recorder, recorder } from "./recorder.ts";
import { assistantMessages, ChatRequest, firstUserText, readBody } from "./request.ts";
import { type Script, turnAt } from "./script.ts";
import type { WireFormat } from "./wire-format.ts";

export type ScriptedModelOptions = {
  /** One script answers to any model name. Of several, the request's `model` names the one. */
  readonly script: Script | readonly Script[];
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** When set, requests must carry it, as `authorization: Bearer` or `x-api-key`. */
  readonly apiKey?: string;
  /** How many requests `requests()` keeps; 1000 when not given. */
  readonly keepRequests?: number;
};

export type ScriptedModel = {
  /** Of the OpenAI API, ending in `/v1`. */
  readonly baseUrl: string;
  /** Of the Anthropic API, without `/v1`, as its clients want it. */
  readonly anthropicBaseUrl: string;
  readonly port: number;
  /** What was asked of the model, oldest first. Over HTTP: `GET /scripted/requests`. */
  requests(): readonly RecordedRequest[];
  /** Ends at once: open answers are cut. */
  close(): Promise<void>;
};

const MAX_BODY_BYTES = 64 * 1024 * 1024;

const FORMATS: Readonly<Record<string, WireFormat>> = {
  "/v1/chat/completions": openAiFormat,
  "/v1/messages": anthropicFormat,
};

/**
 * A model that plays a script over HTTP, in the wire formats of OpenAI Chat Completions and Anthropic Messages.
 * @throws AppError `port_taken` when it cannot listen there
 */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  const host = options.host ?? "127.0.0.1";
  const scripts: readonly Script[] = "turns" in options.script ? [options.script] : options.script;
  const stage = {
    scripts,
    apiKey: options.apiKey,
    recorder: recorder(options.keepRequests ?? 1000),
    attempts: attempts(),
  };
  const server = createServer((request, response) => {
    handle(stage, request, response).catch(() => response.destroy());
  });
  server.listen(options.port ?? 0, host);
  await once(server, "listening").catch((cause: unknown) => {
    throw new AppError("port_taken", `The scripted model cannot listen on port ${options.port ?? 0}.`, {}, { cause });
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://${host}:${port}/v1`,
    anthropicBaseUrl: `http://${host}:${port}`,
    port,
    requests: () => stage.recorder.all(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Stage = {
  readonly scripts: readonly Script[];
  readonly apiKey: string | undefined;
  readonly recorder: Recorder;
  readonly attempts: Attempts;
};

async function handle(stage: Stage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const format = FORMATS[path] ?? openAiFormat;
  if (!allowed(stage, request)) return sendJson(response, 401, format.error(401, "The API key is wrong."));
  if (path === "/v1/models" && request.method === "GET") return sendJson(response, 200, models(stage.scripts));
  if (path === "/scripted/requests") return sendJson(response, 200, stage.recorder.all());
  if (!FORMATS[path]) return sendJson(response, 404, format.error(404, `There is nothing at ${path}.`));
  if (request.method !== "POST") return sendJson(response, 405, format.error(405, "Use POST."));
  return answer({ stage, path, format }, request, response);
}

function allowed({ apiKey }: Stage, { headers }: IncomingMessage): boolean {
  return apiKey === undefined || headers.authorization === `Bearer ${apiKey}` || headers["x-api-key"] === apiKey;
}

function models(scripts: readonly Script[]): object {
  const data = scripts.map(({ name }) => ({ id: name, object: "model", created: 1_700_000_000, owned_by: "handrail" }));
  return { object: "list", data };
}

type Asked = { readonly stage: Stage; readonly path: string; readonly format: WireFormat };

async function answer(
  { stage, path, format }: Asked,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const text = await readBody(request, MAX_BODY_BYTES);
  const parsed = chatRequest(text);
  if (typeof parsed === "string") return sendJson(response, 400, format.error(400, parsed));
  const script = scriptNamed(stage.scripts, parsed.model);
  if (!script) return sendJson(response, 404, format.error(404, `The model \`${parsed.model}\` does not exist.`));

  const record = stage.recorder.add({ path, headers: request.headers, body: parsed, text });
  const gone = new AbortController();
  response.once("close", () => {
    record.end(!response.writableFinished);
    gone.abort();
  });
  const index = assistantMessages(parsed);
  const turn = turnAt(script, index);
  const question = { model: parsed.model || script.name, turn: index + 1, characters: text.length };
  const fault = stage.attempts.next(`${script.name} ${conversationOf(request, parsed)}`, index, turn);
  await play(
    { response, format, answer: answerOf(turn, question), stream: parsed.stream, turn, signal: gone.signal },
    fault,
  );
}

/** The request, or what is wrong with it. */
function chatRequest(text: string): ChatRequest | string {
  try {
    const parsed = ChatRequest.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : z.prettifyError(parsed.error);
  } catch {
    return "The body is not valid JSON.";
  }
}

function scriptNamed(scripts: readonly Script[], model: string): Script | undefined {
  return scripts.length === 1 ? scripts[0] : scripts.find((script) => script.name === model);
}

function conversationOf(request: IncomingMessage, parsed: ChatRequest): string {
  return `${String(request.headers["x-litellm-session-id"] ?? "")} ${firstUserText(parsed)}`;
}
