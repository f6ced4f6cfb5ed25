import { AppError } from "@handrail/protocol/errors";
import type { Route } from "@handrail/protocol/route";
import { parseLenient } from "./lenient.ts";
import { problemOf } from "./problem.ts";

/** How requests leave. `baseUrl` is empty for the page's own origin. `token` travels as a bearer token (RFC 6750 §2.1). */
export type Transport = {
  readonly baseUrl: string;
  readonly token: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
};

export type RouteInput = {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Whether the request goes on when the page that sends it is closed (WHATWG Fetch 2.2.5). Its body is small. */
  readonly keepalive?: boolean;
};

/**
 * Calls one route: the parsed answer, or the `Response` itself where the route's answer is not JSON.
 * @throws AppError the problem's code; `server_unreachable` when there was no answer; the signal's reason when aborted
 */
export async function callRoute(transport: Transport, route: Route, input: RouteInput): Promise<unknown> {
  const response = await send(transport, route, input);
  if (!response.ok) throw await problemOf(response);
  if (route.response === undefined) return response;
  const answer: unknown = await response.json().catch((cause: unknown) => {
    input.signal?.throwIfAborted();
    throw unreachable("The server's answer broke off. Try again.", cause);
  });
  return parseLenient(route.response, answer);
}

async function send(transport: Transport, route: Route, input: RouteInput): Promise<Response> {
  const timeout = AbortSignal.timeout(transport.timeoutMs);
  const signal = input.signal === undefined ? timeout : AbortSignal.any([input.signal, timeout]);
  // A body that may be left out travels as an empty object: some proxies and servers make null of nothing.
  const content = input.body ?? (route.body === undefined ? undefined : {});
  const body = content === undefined ? {} : { body: JSON.stringify(content) };
  const kept = input.keepalive === true ? { keepalive: true } : {};
  const head = { method: route.method, headers: headers(transport, content !== undefined), signal };
  const request = { ...head, ...kept, ...body };
  try {
    return await transport.fetch(transport.baseUrl + routePath(route.path, input), request);
  } catch (cause) {
    input.signal?.throwIfAborted();
    if (!timeout.aborted) throw unreachable("The server cannot be reached. Is it running?", cause);
    throw unreachable(`The server did not answer within ${transport.timeoutMs / 1000} seconds.`, cause);
  }
}

/** A route's path with its parameters and query filled in. Parameters are escaped whole, a slash in them included. */
export function routePath(path: string, { params = {}, query = {} }: RouteInput): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

function headers(transport: Transport, hasBody: boolean): Record<string, string> {
  return {
    accept: "application/json, */*",
    ...(hasBody ? { "content-type": "application/json" } : {}),
    ...(transport.token === undefined ? {} : { authorization: `Bearer ${transport.token}` }),
  };
}

const unreachable = (message: string, cause: unknown) => new AppError("server_unreachable", message, {}, { cause });
