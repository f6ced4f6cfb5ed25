import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError } from "@handrail/protocol/errors";
import { answerOf } from "./answer.ts";
import { type Place, placeOf } from "./apis.ts";
import { type Attempts, attempts } from "./attempts.ts";
import { openAiFormat } from "./openai-format.ts";
import { play, sendJson } from "./play.ts";
import { type RecordedRequest, type Recorder, recorder } from "./recorder.ts";
import { type Asked, readBody } from "./request.ts";
import { type Script, turnAt } from "./script.ts";

export type ScriptedModelOptions = {
  /** One script answers to any model name. Of several, the request's `model` names the one. */
  readonly script: Script | readonly Script[];
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** When set, requests must carry it, as `authorization: Bearer`, `x-api-key`, `api-key` or `x-goog-api-key`. */
  readonly apiKey?: string;
  /** How many requests `requests()` keeps; 1000 when not given. */
  readonly keepRequests?: number;
};

export type ScriptedModel = {
  /** Of the OpenAI API, ending in `/v1`. */
  readonly baseUrl: string;
  /** Of the Anthropic API, without `/v1`, as its clients want it. */
  readonly anthropicBaseUrl: string;
  /** Of Google's API, ending in `/v1beta`. */
  readonly googleBaseUrl: string;
  readonly port: number;
  /** What was asked of the model, oldest first. Over HTTP: `GET /scripted/requests`. */
  requests(): readonly RecordedRequest[];
  /** Ends at once: open answers are cut. */
  close(): Promise<void>;
};

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * A model that plays a script over HTTP, in the wire formats of OpenAI Chat Completions, Responses and Embeddings,
 * Anthropic Messages, and Google's Gemini.
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
    googleBaseUrl: `http://${host}:${port}/v1beta`,
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
  const place = placeOf(path);
  const { format } = place?.api ?? { format: openAiFormat };
  if (!allowed(stage, request)) return sendJson(response, 401, format.error(401, "The API key is wrong."));
  const shown = request.method === "GET" ? SHOWN[path] : undefined;
  if (shown) return sendJson(response, 200, shown(stage));
  if (!place) return sendJson(response, 404, format.error(404, `There is nothing at ${path}.`));
  if (request.method !== "POST") return sendJson(response, 405, format.error(405, "Use POST."));
  return answer({ stage, path, place }, request, response);
}

/** What can be read of it. */
const SHOWN: Readonly<Record<string, (stage: Stage) => object>> = {
  "/v1/models": ({ scripts }) => models(scripts),
  "/scripted/requests": ({ recorder }) => recorder.all(),
};

function allowed({ apiKey }: Stage, { headers }: IncomingMessage): boolean {
  return (
    apiKey === undefined ||
    headers.authorization === `Bearer ${apiKey}` ||
    KEY_HEADERS.some((name) => headers[name] === apiKey)
  );
}

const KEY_HEADERS = ["x-api-key", "api-key", "x-goog-api-key"];

function models(scripts: readonly Script[]): object {
  const data = scripts.map(({ name }) => ({ id: name, object: "model", created: 1_700_000_000, owned_by: "handrail" }));
  return { object: "list", data };
}

type Call = { readonly stage: Stage; readonly path: string; readonly place: Place };

async function answer({ stage, path, place }: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { format } = place.api;
  const text = await readBody(request, MAX_BODY_BYTES);
  const asked = read(place, text);
  if (typeof asked === "string") return sendJson(response, 400, format.error(400, asked));
  const script = scriptNamed(stage.scripts, asked.model);
  if (!script) return sendJson(response, 404, format.error(404, `The model \`${asked.model}\` does not exist.`));

  const record = stage.recorder.add({ path, headers: request.headers, body: asked.body, text });
  const gone = new AbortController();
  response.once("close", () => {
    record.end(!response.writableFinished);
    gone.abort();
  });
  const turn = turnAt(script, asked.answers);
  const question = { model: asked.model || script.name, turn: asked.answers + 1, asked };
  const fault = stage.attempts.next(`${script.name} ${conversationOf(request, asked)}`, asked.answers, turn);
  const playing = { response, format, answer: answerOf(turn, question), stream: asked.stream, turn };
  await play({ ...playing, signal: gone.signal }, fault);
}

/** What is asked, or what is wrong with it. */
function read({ api, facts }: Place, text: string): Asked | string {
  try {
    return api.read(JSON.parse(text), facts, text.length);
  } catch {
    return "The body is not valid JSON.";
  }
}

function scriptNamed(scripts: readonly Script[], model: string): Script | undefined {
  return scripts.length === 1 ? scripts[0] : scripts.find((script) => script.name === model);
}

function conversationOf(request: IncomingMessage, asked: Asked): string {
  return `${String(request.headers["x-litellm-session-id"] ?? "")} ${asked.firstUserText}`;
}
