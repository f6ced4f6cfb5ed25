import { createHash } from "node:crypto";
import type { ByteRange, CheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { AppError, toAppError } from "@handrail/protocol/errors";
import { AwsClient } from "aws4fetch";
import { checkedPath, checkedPrefix } from "./store-paths.ts";

/** A bucket of an S3-compatible server. `prefix` is empty or ends with `/`. `endpoint` has no path. */
export type S3Place = {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

type Ask = { readonly method: "GET" | "PUT" | "DELETE"; readonly headers?: Record<string, string> } & (
  | { readonly path: string; readonly body?: Uint8Array }
  | { readonly query: Record<string, string> }
);

/** For one answer, body included: the largest are packs of some 32 MiB. */
const LIMIT_MS = 120_000;
/** Beside the first try, with growing pauses, for 429 and 5xx. */
const RETRIES = 4;
const MAX_PAGES = 100_000;

/** A store in a bucket, which must be there. The server keeps an object whole or not at all. */
export function s3Store(place: S3Place): CheckpointStore {
  const bucket = new Bucket(place);
  return {
    put: async (path, bytes) => void (await bucket.ask({ method: "PUT", path: checkedPath(path), body: bytes })),
    get: async (path, range) => partOf(await bucket.ask(readOf(checkedPath(path), range)), range),
    list: async (prefix) => (await bucket.list(checkedPrefix(prefix))).toSorted(),
    remove: async (path) => void (await bucket.ask({ method: "DELETE", path: checkedPath(path) })),
  };
}

function readOf(path: string, range: ByteRange | undefined): Ask {
  if (range === undefined) return { method: "GET", path };
  return { method: "GET", path, headers: { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } };
}

type Answer = { readonly status: number; readonly bytes: Uint8Array };

/** A server may answer a range with the whole. */
function partOf({ status, bytes }: Answer, range: ByteRange | undefined): Uint8Array {
  if (range === undefined) return bytes;
  const part = status === 206 ? bytes : bytes.subarray(range.offset, range.offset + range.length);
  if (part.length !== range.length) {
    throw new AppError("checkpoint_damaged", "A file of the checkpoint store is too short.");
  }
  return part;
}

class Bucket {
  readonly #place: S3Place;
  readonly #client: AwsClient;

  constructor(place: S3Place) {
    const { accessKeyId, secretAccessKey, sessionToken, region } = place;
    const token = sessionToken === undefined ? {} : { sessionToken };
    this.#place = place;
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, ...token, region, service: "s3", retries: RETRIES });
  }

  async list(prefix: string): Promise<string[]> {
    const within = this.#place.prefix;
    const found: string[] = [];
    let token: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const next = token === undefined ? {} : { "continuation-token": token };
      const { bytes } = await this.ask({
        method: "GET",
        query: { "list-type": "2", prefix: within + prefix, ...next },
      });
      const text = new TextDecoder().decode(bytes);
      for (const key of valuesOf(text, "Key")) found.push(checkedPath(key.slice(within.length)));
      [token] = valuesOf(text, "NextContinuationToken");
      if (token === undefined || valuesOf(text, "IsTruncated")[0] !== "true") return found;
    }
    throw new AppError("checkpoints_unavailable", "The bucket of the checkpoint store lists too much.");
  }

  /** @throws AppError as the port says */
  async ask(ask: Ask): Promise<Answer> {
    const { endpoint } = this.#place;
    const sent = await this.#send(ask).catch((thrown: unknown) => {
      throw unreachable(endpoint, thrown);
    });
    const gone = ask.method === "DELETE" && sent.status === 404;
    if ((sent.status >= 200 && sent.status < 300) || gone) return sent;
    throw refusal(sent.status, new TextDecoder().decode(sent.bytes.subarray(0, 4096)));
  }

  async #send(ask: Ask): Promise<Answer> {
    const { method } = ask;
    const body = "body" in ask && ask.body !== undefined ? { body: Buffer.from(ask.body) } : {};
    const sum = createHash("sha256").update(body.body ?? "");
    const headers = { ...("headers" in ask ? ask.headers : {}), "x-amz-content-sha256": sum.digest("hex") };
    const signal = AbortSignal.timeout(LIMIT_MS);
    const request = { method, headers, ...body, signal, redirect: "manual" } as const;
    const answer = await this.#client.fetch(this.#address(ask), request);
    return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
  }

  #address(ask: Ask): URL {
    const { endpoint, bucket, prefix } = this.#place;
    if ("path" in ask) return new URL(`${endpoint}/${bucket}/${prefix}${ask.path}`);
    return new URL(`${endpoint}/${bucket}?${new URLSearchParams(ask.query).toString()}`);
  }
}

function refusal(status: number, text: string): AppError {
  const [code = ""] = valuesOf(text, "Code");
  if (status === 416) return new AppError("checkpoint_damaged", "A file of the checkpoint store is too short.");
  if (status === 404 && code !== "NoSuchBucket") {
    return new AppError("checkpoint_damaged", "A file of the checkpoint store is gone.");
  }
  if (status === 507) return new AppError("storage_full", "The bucket with the checkpoints is full.");
  const said = /^[A-Za-z]{1,64}$/.test(code) ? `${status} ${code}` : `${status}`;
  const message = `The bucket of the checkpoint store refuses (${said}). Look at its address and keys.`;
  return new AppError("checkpoints_unavailable", message);
}

function unreachable(endpoint: string, cause: unknown): AppError {
  const { code } = (cause instanceof Error ? (cause.cause ?? cause) : {}) as { readonly code?: unknown };
  const reason = typeof code === "string" ? code : toAppError(cause).message;
  const message = `The checkpoint store at ${endpoint} does not answer (${reason}).`;
  return new AppError("checkpoints_unavailable", message, {}, { cause });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** What stands in elements of this name, which have no attributes in answers of S3. */
function valuesOf(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"));
  return Array.from(found, ([, text = ""]) =>
    text.replace(/&(amp|lt|gt|quot|apos);/g, (_, word) => ENTITIES[word] ?? ""),
  );
}
