import type { KeyRecord } from "./keys.ts";

/** A request of a route beside those of models, such as one for managing keys. */
export type RouteCall = {
  readonly url: URL;
  /** What stands in the path at the names of the route's. */
  readonly params: Readonly<Record<string, string>>;
  /** Parsed; undefined when there was none. */
  readonly body: unknown;
  /** Undefined only on routes that are open to all. */
  readonly key: KeyRecord | undefined;
};

/** A `body` that is an object becomes JSON. */
export type RouteAnswer = {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** @throws AppError, which becomes an answer in LiteLLM's form, or as problem details (RFC 9457) where the route says so */
export type GatewayRoute = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Such as `/key/info`, or `/api/gateway/keys/:id`. */
  readonly path: string;
  readonly problems?: true;
  /** The most that a request's body may have; 1 MiB when undefined. */
  readonly maxBodyBytes?: number;
  /** Who may ask: all, whoever has a key, or whoever has an admin's key. */
  readonly access: "open" | "key" | "admin";
  handle(call: RouteCall): Promise<RouteAnswer>;
};
