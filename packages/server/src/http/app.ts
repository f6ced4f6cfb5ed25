import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import { ERRORS } from "@handrail/protocol/errors";
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from "fastify";
import type { Addresses } from "../auth/addresses.ts";
import type { Mask } from "../settings/mask.ts";
import { CLIENT_GONE } from "./client-gone.ts";
import { useOpenApi } from "./openapi.ts";
import { methodsFor, notFound } from "./not-found.ts";
import { problemOf } from "@handrail/protocol/problem";
import { registerRoutes, type RouteParts, useSchemas } from "./register-routes.ts";
import { requestError } from "./request-error.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { sendPage, usePage, wantsPage } from "./static-page.ts";
import { answerBrokenRequest } from "./broken-request.ts";

export type AppParts = RouteParts & {
  readonly log: FastifyBaseLogger;
  readonly addresses: Addresses;
  readonly mask: Mask;
  readonly version: string;
  readonly webDirectory: string;
  /** The text of `/metrics`, for whoever may see it. */
  readonly metrics: { readonly open: boolean; text(): Promise<{ contentType: string; text: string }> };
  readonly observe: (route: string, method: string, status: number, durationMs: number) => void;
  /** The model gateway: it has keys of its own, no cookies, and streams of its own. */
  readonly gateway: OtherPaths;
};

/** Paths that are not of the table and are not answered by it. */
export type OtherPaths = { readonly owns: (path: string) => boolean; readonly answer: RequestListener };

/** The HTTP side of the server, not yet listening. */
export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const { log, addresses, observe, mask, gateway } = parts;
  const app: FastifyInstance = fastify({
    serverFactory: (pages, options) => beside(pages, gateway, options),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 2_000_000,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 300 },
    trustProxy: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (thrown, _request, reply) => {
      const plain: FastifyReply = reply;
      plain.send(problemReply(plain, thrown, mask));
    },
  });
  app.decorateRequest("identity");
  useSchemas(app);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    addresses.checkHost(request.headers.host);
  });
  app.addHook("onResponse", async (request, reply) => {
    observe(request.routeOptions.url ?? "none", request.method, reply.statusCode, reply.elapsedTime);
    log.debug({ method: request.method, path: pathOf(request.url), status: reply.statusCode, ms: reply.elapsedTime });
  });
  app.setErrorHandler((thrown, _request, reply) => sendProblem(reply, thrown, mask));
  await useOpenApi(app, parts.version);
  registerRoutes(app, parts);
  registerMetrics(app, parts);
  await usePage(app, parts.webDirectory);
  app.setNotFoundHandler((request, reply) => {
    if (wantsPage(request)) return sendPage(reply, parts.webDirectory, 404);
    const methods = methodsFor(pathOf(request.url));
    if (methods.length > 0) reply.header("allow", methods.join(", "));
    return sendProblem(reply, notFound(methods), mask);
  });
  return app;
}

const REQUEST_MS = 60_000;
const HEADERS_MS = 30_000;

/** One server for both: what is the gateway's never reaches the routes of the page, where a cookie would count. */
function beside(pages: RequestListener, gateway: OtherPaths, options: ServerOptions): Server {
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS };
  return createServer({ ...options, ...limits }, (request, response) => {
    if (gateway.owns(pathOf(request.url ?? "/"))) gateway.answer(request, response);
    else pages(request, response);
  });
}

/** Query strings stay out of logs: a one-time token travels in one. */
const pathOf = (url: string) => url.split("?", 1)[0] ?? "";

function sendProblem(reply: FastifyReply, thrown: unknown, mask: Mask) {
  return reply.send(problemReply(reply, thrown, mask));
}

function problemReply(reply: FastifyReply, thrown: unknown, mask: Mask): string {
  const error = requestError(thrown);
  const { status } = ERRORS[error.code];
  const cause = error.cause ?? error;
  if (status >= 500 && cause !== CLIENT_GONE)
    reply.log.error({ err: cause, code: error.code, path: pathOf(reply.request.url) });
  reply
    .headers(SECURITY_HEADERS)
    .status(status)
    .header("content-type", "application/problem+json")
    .header("cache-control", "no-store")
    .serializer((text: string) => text);
  return mask.text(JSON.stringify(problemOf(error)));
}

function registerMetrics(app: FastifyInstance, { metrics, identify }: AppParts): void {
  app.get("/metrics", async (request, reply) => {
    if (!metrics.open && identify(request.headers, false) === undefined) return reply.callNotFound();
    const { contentType, text } = await metrics.text();
    return reply.header("content-type", contentType).header("cache-control", "no-store").send(text);
  });
}
