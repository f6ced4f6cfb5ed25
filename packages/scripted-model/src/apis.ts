import { anthropicFormat, countFormat } from "./anthropic-format.ts";
import { embeddingsFormat, googleBatchFormat, googleEmbedFormat, vertexPredictFormat } from "./embeddings-format.ts";
import { googleFormat } from "./google-format.ts";
import { openAiFormat } from "./openai-format.ts";
import { type PathFacts, type Reader, readChat, readGoogle, readResponses, readSingle } from "./request.ts";
import { responsesFormat } from "./responses-format.ts";
import type { WireFormat } from "./wire-format.ts";

/** One API of the scripted model: how its requests are read, and its answers written. */
export type Api = { readonly read: Reader; readonly format: WireFormat };

/** An API's place, which names the model in some. */
export type Place = { readonly api: Api; readonly facts: PathFacts };

const CHAT: Api = { read: readChat, format: openAiFormat };
const MESSAGES: Api = { read: readChat, format: anthropicFormat };
const EMBEDDINGS: Api = { read: readSingle, format: embeddingsFormat };
const GOOGLE: Api = { read: readGoogle, format: googleFormat };

const OPENAI: Readonly<Record<string, Api>> = {
  "chat/completions": CHAT,
  responses: { read: readResponses, format: responsesFormat },
  embeddings: EMBEDDINGS,
  messages: MESSAGES,
  "messages/count_tokens": { read: readSingle, format: countFormat },
};

const GOOGLE_METHODS: Readonly<Record<string, Api>> = {
  generateContent: GOOGLE,
  streamGenerateContent: GOOGLE,
  embedContent: { read: readSingle, format: googleEmbedFormat },
  batchEmbedContents: { read: readSingle, format: googleBatchFormat },
  predict: { read: readSingle, format: vertexPredictFormat },
  rawPredict: MESSAGES,
  streamRawPredict: MESSAGES,
};

/** `/v1`, as Groq and Azure have it (`/openai/v1`), OpenRouter (`/api/v1`), or Google (`/v1beta/openai`). */
const VERSIONED = /^(?:(?:\/openai|\/api)?\/v1|\/v1beta\/openai)\/([a-z_/]+)$/;
const AZURE = /^\/openai\/deployments\/([^/]+)\/([a-z/]+)$/;
/** Of the Gemini API, and of Vertex with its project, place and publisher. */
const GOOGLE_PATH = /^\/v1(?:beta1?)?\/(?:[\w.-]+\/)*models\/([^/:]+):([A-Za-z]+)$/;

/** What is at a path; undefined when nothing is. */
export function placeOf(path: string): Place | undefined {
  const versioned = VERSIONED.exec(path);
  if (versioned) return place(OPENAI, versioned[1], {});
  const azure = AZURE.exec(path);
  if (azure) return place(OPENAI, azure[2], { model: azure[1] ?? "" });
  const [, model, method] = GOOGLE_PATH.exec(path) ?? [];
  if (model === undefined || method === undefined) return undefined;
  return place(GOOGLE_METHODS, method, {
    model: decodeURIComponent(model),
    stream: method.startsWith("stream"),
  });
}

function place(apis: Readonly<Record<string, Api>>, name: string | undefined, facts: PathFacts): Place | undefined {
  const api = name !== undefined && Object.hasOwn(apis, name) ? apis[name] : undefined;
  return api && { api, facts };
}
