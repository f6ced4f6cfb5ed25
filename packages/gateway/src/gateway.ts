import type { IncomingMessage, ServerResponse } from "node:http";
import type { DeploymentHealth } from "@handrail/protocol/gateway";
import { AppError } from "@handrail/protocol/errors";
import type { CacheRules, CallLimits, Core } from "./flow/core.ts";
import { countTokens } from "./flow/count-tokens.ts";
import { createPlaces } from "./flow/places.ts";
import { runCall } from "./flow/run-call.ts";
import { endpointAt, type Endpoint, pathOf } from "./http/endpoint.ts";
import { refusalOf } from "./http/refusal.ts";
import { answerModels } from "./http/models-route.ts";
import { answerProbe } from "./http/probes.ts";
import { type RouteTable, routeTable } from "./http/route-table.ts";
import { sendJson } from "./http/send-json.ts";
import { type LaneOf, lanesOver } from "./lanes/lane-of.ts";
import type { Books } from "./ports/books.ts";
import { type Catalog, DEFAULT_ROUTING, type RoutingSettings } from "./ports/deployment.ts";
import type { Format } from "./ports/format.ts";
import type { BodyStore, Redactor } from "./ports/guard.ts";
import type { GatewayObserver } from "./ports/observer.ts";
import type { PriceList } from "./ports/price-list.ts";
import type { GatewayRoute } from "./ports/route.ts";
import type { Tracer } from "./ports/tracer.ts";
import { createUpstream } from "./upstream/create-upstream.ts";

/** What a gateway is made of. What is left out has the default that is said, or is not there. */
export type GatewayParts = {
  readonly catalog: Catalog;
  readonly books: Books;
  readonly prices: PriceList;
  /** Asked at every call. */
  readonly routing?: () => RoutingSettings;
  readonly observer?: GatewayObserver;
  readonly cache?: CacheRules;
  readonly redactor?: Redactor;
  readonly bodies?: BodyStore;
  readonly tracer?: Tracer;
  /** Beside those of models, such as for managing keys. */
  readonly routes?: readonly GatewayRoute[];
  /** For `/metrics`, which is not there without it. */
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Further facts for `/health/readiness`. They do not change what it comes to. */
  readonly readiness?: () => Readonly<Record<string, string>>;
  readonly limits?: Partial<CallLimits>;
  /** Unix milliseconds. */
  readonly now?: () => number;
};

/** One endpoint to many models, as a part of any `node:http` server. */
export type Gateway = {
  /** False when the path is not the gateway's; nothing is then done. The answer goes out by itself. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** How calls to a deployment have gone since the gateway was made. */
  health(deploymentId: string): DeploymentHealth;
  /** Calls that are not answered yet. */
  calls(): number;
  /** Lets no more calls in, waits for those that are under way for at most that long, and ends the rest. */
  close(graceMs?: number): Promise<void>;
};

const DEFAULT_LIMITS: CallLimits = { maxBodyBytes: 64 * 1024 * 1024, bodyTimeoutMs: 60_000, maxCalls: 2048 };

/** Its books and cache are closed by whoever opened them. */
export function createGateway(parts: GatewayParts): Gateway {
  const upstream = createUpstream();
  const core = coreOf(parts, lanesOver(upstream.send), upstream.send);
  const table = routeTable(parts.routes ?? []);
  const running = new Set<Promise<void>>();
  let closing = false;

  const start = (work: Promise<void>) => {
    running.add(work);
    work.finally(() => running.delete(work)).catch(() => undefined);
  };
  return {
    handle(request, response) {
      const path = pathOf(request.url);
      const found = destination(parts, table, { path, method: request.method ?? "GET" });
      if (found === undefined) return false;
      const tooMany = running.size >= core.limits.maxCalls;
      if ((closing && !ANY_TIME.has(kindOf(found))) || (tooMany && !PROBES.has(kindOf(found))))
        turnAway(response, closing, formatOf(found));
      else start(serve({ core, parts, table }, found, { request, response, path }));
      return true;
    },
    health: (deploymentId) => core.places.health(deploymentId),
    calls: () => running.size,
    async close(graceMs = 0) {
      closing = true;
      await Promise.race([Promise.all(running), after(graceMs)]);
      await upstream.close();
      await Promise.all(running);
    },
  };
}

function coreOf(parts: GatewayParts, laneOf: LaneOf, send: Core["send"]): Core {
  const { now = Date.now, observer = {}, routing = () => DEFAULT_ROUTING, catalog, books, prices } = parts;
  return {
    catalog,
    books,
    prices,
    routing,
    observer,
    laneOf,
    send,
    now,
    places: createPlaces({ prices, routing, observer, now }),
    limits: { ...DEFAULT_LIMITS, ...parts.limits },
    ...(parts.cache && { cache: parts.cache }),
    ...(parts.redactor && { redactor: parts.redactor }),
    ...(parts.bodies && { bodies: parts.bodies }),
    ...(parts.tracer && { tracer: parts.tracer }),
  };
}

type Destination = Endpoint | "route" | { readonly kind: "otherMethod"; readonly allow: string };

function destination(
  parts: GatewayParts,
  table: RouteTable,
  { path, method }: { path: string; method: string },
): Destination | undefined {
  if (table.has(method, path)) return "route";
  const endpoint = endpointAt(path);
  if (endpoint !== undefined) return endpoint.kind === "metrics" && parts.metrics === undefined ? undefined : endpoint;
  const methods = table.methods(path);
  return methods.length === 0 ? undefined : { kind: "otherMethod" as const, allow: methods.join(", ") };
}

/** How busy it is says nothing of whether it lives. */
const PROBES: ReadonlySet<string> = new Set(["alive", "ready", "metrics"]);
const ANY_TIME: ReadonlySet<string> = new Set(["alive", "metrics"]);

const kindOf = (found: Destination) => (found === "route" ? found : found.kind);

/** Of what a client at that path understands. */
function formatOf(found: Destination): Format | undefined {
  if (found === "route") return undefined;
  if (found.kind === "count") return "messages";
  return found.kind === "call" ? found.format : undefined;
}

function turnAway(response: ServerResponse, closing: boolean, format: Format | undefined): void {
  const error = closing
    ? new AppError("server_stopping", "The gateway is stopping. Ask again in a moment.", { retryAfterMs: 1000 })
    : new AppError("rate_limited", "The gateway answers too many calls at once.", {
        limit: "parallel",
        retryAfterMs: 1000,
      });
  const { status, headers, body } = refusalOf(error, format);
  sendJson(response, status, { body, headers: { ...headers, connection: "close" } });
}

type Serving = { readonly core: Core; readonly parts: GatewayParts; readonly table: RouteTable };
type Request = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly path: string };

async function serve({ core, parts, table }: Serving, found: Destination, { request, response, path }: Request) {
  if (found === "route") return table.answer(core, request, response);
  if (found.kind === "otherMethod") return wrongMethod(response, found.allow);
  if (found.kind === "call" || found.kind === "count") {
    if (request.method !== "POST") return wrongMethod(response, "POST", formatOf(found));
    if (found.kind === "count") return countTokens(core, { request, response, format: "messages", route: path });
    return runCall(core, { request, response, format: found.format, model: found.model, route: path });
  }
  if (request.method !== "GET" && request.method !== "HEAD") return wrongMethod(response, "GET, HEAD");
  if (found.kind === "models") return answerModels(core, request, response, found.id);
  return answerProbe(found.kind, { books: core.books, metrics: parts.metrics, readiness: parts.readiness, response });
}

function wrongMethod(response: ServerResponse, allow: string, format?: Format): void {
  const text = `Use ${allow.replaceAll(", ", " or ")}.`;
  const { status, headers, body } = refusalOf(new AppError("method_not_allowed", text), format);
  sendJson(response, status, { body, headers: { ...headers, allow, connection: "close" } });
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
