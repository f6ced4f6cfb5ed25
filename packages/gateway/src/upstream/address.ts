import { AppError } from "@handrail/protocol/errors";
import type { Deployment, Provider } from "../ports/deployment.ts";
import { type Format, PATHS } from "../ports/format.ts";

/** Where a request goes. */
export type Address = { readonly origin: string; readonly path: string };

const DEFAULT_BASE_URLS: Readonly<Partial<Record<Provider, string>>> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
  google: "https://generativelanguage.googleapis.com/v1beta/openai",
  mistral: "https://api.mistral.ai/v1",
  groq: "https://api.groq.com/openai/v1",
  openrouter: "https://openrouter.ai/api/v1",
  deepseek: "https://api.deepseek.com",
  ollama: "http://127.0.0.1:11434",
  vllm: "http://127.0.0.1:8000",
  litellm: "http://127.0.0.1:4000",
};

/** What is asked for: a model's name, in a format, at a path below the format's own. */
export type Wanted = { readonly model: string; readonly format: Format; readonly subpath?: string };

/**
 * The address of a format at a deployment.
 * @throws AppError `config_invalid` when the base URL is missing, is no http or https URL, or holds a password
 */
export function addressOf(deployment: Deployment, { model, format, subpath = "" }: Wanted): Address {
  const base = baseOf(deployment);
  const path =
    deployment.provider === "azure" ? azurePath(deployment, base, { model, format }) : pathBelow(base, format);
  return { origin: base.origin, path: path.pathname + subpath + path.search };
}

/** Parsing an address takes longer than looking it up. */
const PARSED = new WeakMap<Deployment, URL>();

function baseOf(deployment: Deployment): URL {
  const known = PARSED.get(deployment);
  if (known) return known;
  const text = deployment.baseUrl ?? DEFAULT_BASE_URLS[deployment.provider];
  const url = text === undefined ? undefined : URL.parse(text);
  const of = `of the model ${deployment.name}`;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new AppError("config_invalid", `The base URL ${of} must begin with http:// or https://.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new AppError("config_invalid", `The base URL ${of} must not hold a password. Give it as the API key.`);
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  PARSED.set(deployment, url);
  return url;
}

type Place = Pick<URL, "pathname" | "search">;

/**
 * OpenAI's formats are below a base that has a path, such as `/v1` or `/api/v3`, and below `/v1` where it has none. Messages is
 * always below a `/v1`.
 */
function pathBelow({ pathname, search }: URL, format: Format): Place {
  const below = pathname === "/" ? "" : pathname;
  const whole = PATHS[format];
  const versioned = format === "messages" ? /\/v\d+\w*$/.test(below) : below !== "";
  return { pathname: below + (versioned ? whole.slice("/v1".length) : whole), search };
}

/** With a dated version the model is in the path, but not that of Responses; without one there is Azure's `v1`. */
function azurePath({ apiVersion }: Deployment, base: URL, { model, format }: Wanted): Place {
  const below = base.pathname === "/" ? "" : base.pathname.replace(/\/openai$/, "");
  const name = PATHS[format].slice("/v1/".length);
  const version = apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(apiVersion)}`;
  if (below.endsWith("/v1")) return { pathname: `${below}/${name}`, search: version };
  if (!/^\d{4}-/.test(apiVersion ?? "")) return { pathname: `${below}/openai/v1/${name}`, search: version };
  const place = format === "responses" ? name : `deployments/${encodeURIComponent(model)}/${name}`;
  return { pathname: `${below}/openai/${place}`, search: version };
}
