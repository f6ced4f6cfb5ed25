import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { at, textAt } from "@handrail/models/json";
import { AppError } from "@handrail/protocol/errors";
import type { Format } from "../ports/format.ts";
import { modelHeaders } from "../upstream/upstream-headers.ts";
import { type CacheWish, cacheWish } from "./cache-wish.ts";
import { membersOf } from "./top-level.ts";

/** A request as the gateway understands it: only what it needs to know. */
export type Asked = {
  readonly format: Format;
  readonly model: string;
  readonly streamed: boolean;
  readonly body: Buffer;
  readonly parsed: Readonly<Record<string, unknown>>;
  /** Those that change what a model does. */
  readonly headers: Readonly<Record<string, string>>;
  readonly endUser?: string;
  readonly tags: readonly string[];
  /** Names to try when the model fails, as the client wants them. */
  readonly fallbacks: readonly string[];
  readonly retries?: number;
  readonly timeoutMs?: number;
  readonly streamTimeoutMs?: number;
  /** What tells one conversation from another, where the client says so. */
  readonly session?: string;
  readonly cache: CacheWish;
  /** Whether the client wants its bodies kept out of stores. */
  readonly unseen: boolean;
};

export type Received = {
  readonly format: Format;
  /** Where the path names it. */
  readonly model?: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

const MAX_NAME = 256;
const MAX_TAGS = 20;
const MAX_FALLBACKS = 10;
const MAX_RETRIES = 10;

/** @throws AppError `bad_request` for what is no request of any format */
export function readAsked({ format, model: named, headers, body }: Received): Asked {
  const parsed = objectOf(body);
  refuseDoubles(body, parsed);
  const model = textAt(parsed, "model") || named;
  if (model === undefined || model === "") throw new AppError("bad_request", "Name a `model`.", { field: "model" });
  if (model.length > MAX_NAME)
    throw new AppError("bad_request", "The name of the `model` is too long.", { field: "model" });
  return {
    format,
    model,
    streamed: format !== "embeddings" && parsed["stream"] === true,
    body,
    parsed,
    headers: modelHeaders(headers),
    ...told(parsed, headers),
  };
}

function objectOf(body: Buffer): Record<string, unknown> {
  // Others would put other characters in the place of what is none, and two names could become one.
  if (!isUtf8(body)) throw new AppError("bad_request", "The request's body is not valid UTF-8.");
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new AppError("bad_request", "The request's body is not valid JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AppError("bad_request", "The request's body must be a JSON object.");
  }
  return value as Record<string, unknown>;
}

/** Of two members with one name a provider may believe the other one than we do, and spend what was not reserved. */
function refuseDoubles(body: Buffer, parsed: object): void {
  const members = membersOf(body);
  if (members.length === Object.keys(parsed).length) return;
  const seen = new Set<string>();
  for (const { key } of members) {
    if (seen.has(key) && key !== "model") {
      throw new AppError("bad_request", `The request's body holds \`${key.slice(0, 60)}\` twice.`, {
        field: key.slice(0, 60),
      });
    }
    seen.add(key);
  }
}

type Told = Omit<Asked, "format" | "model" | "streamed" | "body" | "parsed" | "headers">;

function told(parsed: Record<string, unknown>, headers: IncomingHttpHeaders): Told {
  const endUser = header(headers, "x-litellm-end-user-id") ?? textAt(parsed, "user");
  const retries = count(header(headers, "x-litellm-num-retries") ?? parsed["num_retries"], MAX_RETRIES);
  const timeoutMs = milliseconds(header(headers, "x-litellm-timeout"));
  const streamTimeoutMs = milliseconds(header(headers, "x-litellm-stream-timeout"));
  const session = sessionOf(parsed, headers);
  return {
    ...(endUser !== "" && { endUser: endUser.slice(0, MAX_NAME) }),
    tags: tagsOf(parsed, headers),
    fallbacks: texts(parsed["fallbacks"]).slice(0, MAX_FALLBACKS),
    ...(retries !== undefined && { retries }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(streamTimeoutMs !== undefined && { streamTimeoutMs }),
    ...(session !== undefined && { session }),
    cache: cacheWish(headers["cache-control"], parsed["cache"]),
    unseen: header(headers, "x-litellm-enable-message-redaction")?.toLowerCase() === "true",
  };
}

function sessionOf(parsed: Record<string, unknown>, headers: IncomingHttpHeaders): string | undefined {
  return (
    header(headers, "x-litellm-session-id") ??
    header(headers, "session_id") ??
    ([
      textAt(parsed, "litellm_session_id"),
      textAt(parsed, "prompt_cache_key"),
      textAt(parsed, "metadata", "session_id"),
      textAt(parsed, "metadata", "user_id"),
    ].find((text) => text !== "") ||
      undefined)
  );
}

function tagsOf(parsed: Record<string, unknown>, headers: IncomingHttpHeaders): readonly string[] {
  const sent = header(headers, "x-litellm-tags")?.split(",") ?? [];
  const tags = [...sent, ...texts(parsed["tags"]), ...texts(at(parsed, "metadata", "tags"))];
  if (tags.length === 0) return tags;
  const clean = tags.map((tag) => tag.trim().slice(0, 64)).filter((tag) => tag !== "");
  return [...new Set(clean)].slice(0, MAX_TAGS);
}

/** A fallback may be a name or an object that holds it, as for LiteLLM. */
function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value
    .map((item) => (typeof item === "string" ? item : textAt(item, "model")))
    .filter((text) => text !== "" && text.length <= MAX_NAME);
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text === "" ? undefined : text.slice(0, 1024);
}

function count(value: unknown, most: number): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && number >= 0 ? Math.min(most, Math.floor(number)) : undefined;
}

const MAX_TIMEOUT_SECONDS = 3600;

function milliseconds(seconds: string | undefined): number | undefined {
  const value = Number(seconds ?? Number.NaN);
  return value > 0 ? Math.ceil(Math.min(value, MAX_TIMEOUT_SECONDS) * 1000) : undefined;
}
