import { defined } from "./defined.ts";
import { NO_SECTION, type Section } from "./section.ts";

/** How answers are kept, as `litellm_settings.cache` and `cache_params` say. */
export type CacheSettings = {
  readonly enabled: boolean;
  /** Undefined: in memory. */
  readonly redisUrl?: string;
  readonly ttlMs?: number;
  /** In front of each key in Redis. */
  readonly namespace?: string;
};

/** What is kept where. A kind of cache that is not served is warned about, and answers are kept in memory. */
export function cacheOf(settings: Section, router: Section, warn: (sentence: string) => void): CacheSettings {
  const params = settings.section("cache_params") ?? NO_SECTION;
  const type = params.text("type") ?? "local";
  const enabled = settings.flag("cache") === true && params.text("mode") !== "default_off";
  if (enabled && !["local", "redis"].includes(type)) {
    warn(`A cache of the type ${type} is not served; answers are kept in memory.`);
  }
  params.ignore("supported_call_types", "type", "max_connections", "similarity_threshold");
  const ttl = params.number("ttl") ?? params.number("default_in_memory_ttl");
  const redisUrl = (type === "redis" ? redisUrlOf(params, "") : undefined) ?? redisUrlOf(router, "redis_");
  const cache = {
    enabled,
    ...defined({
      redisUrl,
      ttlMs: ttl === undefined ? undefined : Math.round(ttl * 1000),
      namespace: params.text("namespace"),
    }),
  };
  params.warnOfRest();
  return cache;
}

function redisUrlOf(section: Section, prefix: string): string | undefined {
  const text = (key: string) => section.text(`${prefix}${key}`);
  const [url, host, password, user] = [text("url"), text("host"), text("password"), text("username")];
  const [port, db, secure] = [text("port") ?? "6379", text("db"), section.flag(`${prefix}ssl`) === true];
  if (url !== undefined || host === undefined) return url;
  const login = password === undefined ? "" : `${encodeURIComponent(user ?? "")}:${encodeURIComponent(password)}@`;
  return `${secure ? "rediss" : "redis"}://${login}${host}:${port}${db === undefined ? "" : `/${db}`}`;
}
