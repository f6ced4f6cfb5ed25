import type { Route } from "@handrail/protocol/route";
import { type RouteName, ROUTES } from "@handrail/protocol/routes";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Identify, Identity } from "../auth/identify.ts";
import { authorise, type OwnerOf } from "../auth/policy.ts";
import { CLIENT_GONE } from "./client-gone.ts";
import type { Download, Handlers } from "./handlers.ts";
import { invalidPart } from "./request-error.ts";

export type RouteParts = {
  readonly handlers: Handlers;
  readonly identify: Identify;
  readonly ownerOf: OwnerOf;
};

type AnyHandler = (asked: unknown) => Promise<unknown>;
type Pass = { readonly route: Route; readonly handler: AnyHandler };

const NOBODY: Identity = { userId: "", teams: [], session: undefined };
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
/** Images travel as base64 in JSON, and a LiteLLM may have many keys; everything else is small. */
const BODY_LIMIT: Partial<Record<RouteName, number>> = { uploadBlob: 14_100_000, importGatewayKeys: 64_000_000 };

/** Registers every route of the table: who may call it, what it takes, what it answers. */
export function registerRoutes(app: FastifyInstance, { handlers, identify, ownerOf }: RouteParts): void {
  for (const [key, route] of Object.entries<Route>(ROUTES)) {
    const name = key as RouteName;
    const pass: Pass = { route, handler: handlers[name] as AnyHandler };
    app.route({
      method: route.method,
      url: route.path,
      bodyLimit: BODY_LIMIT[name] ?? 2_000_000,
      schema: documentation(route),
      onRequest: async (request) => {
        const identity = identify(request.headers, !SAFE.has(request.method));
        request.identity = identity ?? NOBODY;
        const { id } = (request.params ?? {}) as { readonly id?: string };
        await authorise(name, identity, id, ownerOf);
      },
      handler: (request, reply) => answer(pass, request, reply),
    });
  }
}

function documentation(route: Route) {
  const { params, query, body, response, summary } = route;
  return {
    summary,
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    ...(response && { response: { [route.status]: response } }),
  };
}

async function answer({ route, handler }: Pass, request: FastifyRequest, reply: FastifyReply) {
  const given = await handler({
    params: request.params,
    query: request.query,
    body: request.body,
    identity: request.identity,
    signal: gone(reply),
    address: request.ip,
    header: (name: string, value: string) => reply.header(name, value),
  });
  reply.status(route.status);
  return route.response === undefined ? sendDownload(reply, given as Download) : reply.send(given);
}

function gone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => controller.abort(CLIENT_GONE));
  return controller.signal;
}

function sendDownload(reply: FastifyReply, { contentType, content, name, immutable }: Download) {
  reply.header("content-type", contentType);
  reply.header("cache-control", immutable === true ? "private, max-age=31536000, immutable" : "no-store");
  if (name !== undefined) reply.header("content-disposition", `attachment; filename="${name}"`);
  return reply.send(content);
}

const PARTS: Readonly<Record<string, string>> = { params: "path", querystring: "query", body: "body" };

/** Has fastify check requests with the routes' own zod schemas and write answers through them. */
export function useSchemas(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    // What it gives is for parsers without a callback.
    return body.length === 0 ? done(null, undefined) : parseJson(request, body.toString(), done);
  });
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data: unknown) => {
    // Fastify gives null for a body that is not there.
    const result = schema.safeParse(data === null && httpPart === "body" ? undefined : data);
    if (result.success) return { value: result.data };
    return { error: invalidPart(PARTS[httpPart ?? ""] ?? "request", result.error) };
  });
  app.setSerializerCompiler<z.ZodType>(({ url, schema }) => {
    /** Events were checked when they were stored, and there may be thousands. */
    if (url.endsWith("/events")) return JSON.stringify;
    return (data) => JSON.stringify(schema.parse(data));
  });
}
