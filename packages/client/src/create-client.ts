import type { Route } from "@handrail/protocol/route";
import { ROUTES, type RouteName, type Routes } from "@handrail/protocol/routes";
import type { z } from "zod";
import { callRoute, type RouteInput, type Transport } from "./call-route.ts";

/** One method for each route of the table, named as there. */
export type Client = { readonly [Name in RouteName]: Method<Routes[Name]> };

/** What a call of the route takes. `query` may be left out: its fields are optional or the route refuses it by name. */
export type InputOf<R extends Route> = Part<R, "params"> &
  Query<R> &
  Body<R> &
  Pick<RouteInput, "signal" | "keepalive">;

/** What a call of the route gives: the answer parsed, or the `Response` where the answer is a download. */
export type AnswerOf<R extends Route> = R extends { response: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : Response;

export type ClientOptions = {
  /** Scheme, host and port without a path; empty for the page's own origin. */
  readonly baseUrl: string;
  /** Bearer token; absent where a session cookie speaks for the user. */
  readonly token?: string | undefined;
  readonly fetch?: typeof globalThis.fetch;
  /** How long one request may take. 5 minutes when absent: a push or a model test takes its time. */
  readonly timeoutMs?: number;
};

/**
 * Handrail's HTTP API as typed methods: `client.conversation({ params: { id } })`. Each rejects with an `AppError` that
 * has the server's code, `server_unreachable` when there was no answer, or the signal's reason.
 */
export function createClient(options: ClientOptions): Client {
  const transport: Transport = {
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    token: options.token,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    timeoutMs: options.timeoutMs ?? 300_000,
  };
  const methods = Object.entries(ROUTES).map(([name, route]) => [
    name,
    (input: RouteInput = {}) => callRoute(transport, route, input),
  ]);
  return Object.fromEntries(methods) as Client;
}

type Method<R extends Route> =
  Partial<InputOf<R>> extends InputOf<R>
    ? (input?: InputOf<R>) => Promise<AnswerOf<R>>
    : (input: InputOf<R>) => Promise<AnswerOf<R>>;

type Part<R extends Route, Key extends "params" | "query" | "body"> = R extends {
  [K in Key]: infer S extends z.ZodType;
}
  ? { readonly [K in Key]: z.output<S> }
  : unknown;

type Query<R extends Route> = R extends { query: infer S extends z.ZodType }
  ? Partial<z.output<S>> extends z.output<S>
    ? { readonly query?: z.output<S> }
    : { readonly query: z.output<S> }
  : unknown;

type Body<R extends Route> = R extends { body: infer S extends z.ZodType }
  ? undefined extends z.output<S>
    ? { readonly body?: z.output<S> }
    : { readonly body: z.output<S> }
  : unknown;
