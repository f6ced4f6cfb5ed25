import type { Format } from "../ports/format.ts";

/** What is asked for at a path. */
export type Endpoint =
  | { readonly kind: "call"; readonly format: Format; readonly model?: string }
  | { readonly kind: "count" }
  | { readonly kind: "models"; readonly id?: string }
  | { readonly kind: "alive" | "ready" | "metrics" };

const CALLS: Readonly<Record<string, Endpoint>> = {
  "chat/completions": { kind: "call", format: "chat" },
  responses: { kind: "call", format: "responses" },
  messages: { kind: "call", format: "messages" },
  embeddings: { kind: "call", format: "embeddings" },
  "messages/count_tokens": { kind: "count" },
};

const OTHERS: Readonly<Record<string, Endpoint>> = {
  "/health/liveliness": { kind: "alive" },
  "/health/liveness": { kind: "alive" },
  "/health/readiness": { kind: "ready" },
  "/metrics": { kind: "metrics" },
};

/** The path of a request's URL; a slash at its end means nothing. */
export function pathOf(url = "/"): string {
  const [path = "/"] = url.split("?", 1);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** As LiteLLM has them: the version may be left out, and Azure's clients have a way of their own. */
const BELOW = /^(?:\/openai)?(?:\/v1)?\/([a-z_/]+)$/;
const MODEL = /^(?:\/v1)?\/models\/([^/]+(?:\/[^/]+)*)$/;
const AZURE = /^(?:\/openai)?\/(?:deployments|engines)\/([^/]+)\/([a-z/]+)$/;

/** Undefined when a path is not the gateway's own. */
export function endpointAt(path: string): Endpoint | undefined {
  const other = own(OTHERS, path);
  if (other) return other;
  const below = BELOW.exec(path)?.[1];
  if (below === "models") return { kind: "models" };
  const call = below === undefined ? undefined : own(CALLS, below);
  if (call) return call;
  const id = MODEL.exec(path)?.[1];
  return id === undefined ? azure(path) : { kind: "models", id: decoded(id) };
}

function azure(path: string): Endpoint | undefined {
  const [, model, below] = AZURE.exec(path) ?? [];
  const call = own(CALLS, below ?? "");
  return call?.kind === "call" && model !== undefined ? { ...call, model: decoded(model) } : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const own = (table: Readonly<Record<string, Endpoint>>, key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined;
