import { at, textAt } from "@handrail/models/json";

/** What a client wants of cached answers. */
export type CacheWish = {
  /** May an answer be taken from the cache? */
  readonly read: boolean;
  /** May the answer be kept? */
  readonly write: boolean;
  /** The oldest answer that is good enough. */
  readonly maxAgeMs?: number;
  /** How long the answer is kept. */
  readonly ttlMs?: number;
  /** Keeps apart what the client wants apart. */
  readonly namespace?: string;
};

/** From the header `cache-control`, and LiteLLM's `cache` in the body, which wins. */
export function cacheWish(control: string | undefined, body: unknown): CacheWish {
  const fromHeader = control === undefined ? ANY : headerWish(control);
  return typeof body === "object" && body !== null ? { ...fromHeader, ...bodyWish(body, fromHeader) } : fromHeader;
}

const ANY: CacheWish = { read: true, write: true };

function headerWish(control: string): CacheWish {
  const words = new Map(
    control
      .toLowerCase()
      .split(",")
      .map((word) => word.trim().split("=", 2))
      .map(([name = "", value]) => [name, value] as const),
  );
  const age = words.get("s-maxage") ?? words.get("max-age");
  const maxAgeMs = age === undefined ? undefined : secondsOf(Number(age));
  return {
    read: !words.has("no-cache") && !words.has("no-store"),
    write: !words.has("no-store"),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
  };
}

function bodyWish(body: object, header: CacheWish): Partial<CacheWish> {
  const off = at(body, "use-cache") === false;
  const maxAgeMs = secondsOf(at(body, "s-maxage") ?? at(body, "s-max-age"));
  const ttlMs = secondsOf(at(body, "ttl"));
  const namespace = textAt(body, "namespace").slice(0, 128);
  return {
    read: header.read && !off && at(body, "no-cache") !== true,
    write: header.write && !off && at(body, "no-store") !== true,
    ...(maxAgeMs !== undefined && { maxAgeMs }),
    ...(ttlMs !== undefined && { ttlMs }),
    ...(namespace !== "" && { namespace }),
  };
}

function secondsOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.round(value * 1000) : undefined;
}
