import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { toAppError } from "@handrail/protocol/errors";
import { parseCookie } from "../auth/cookies.ts";
import { endUpgrade } from "../http/end-upgrade.ts";
import { forwardRequest, forwardUpgrade } from "./forward.ts";
import { type OpenVisits, openVisits } from "./open-visits.ts";
import { type OpenedPath, readOpenPath } from "./open-path.ts";
import type { Pass, Passes } from "./passes.ts";
import type { PreviewAddress, PreviewPlace } from "./preview-address.ts";
import type { PreviewSide } from "./preview-headers.ts";
import { type PreviewRefusal, refusalHead, refusalPage } from "./preview-refusal.ts";

export type PreviewServerParts = {
  /** Undefined until the port is known. */
  readonly address: () => PreviewAddress | undefined;
  readonly passes: Passes;
  /** Whether what gave this pass still stands: the user's session and conversation, or the share. */
  readonly admits: (pass: Pass) => Promise<boolean>;
  /** A connection to the port. @throws AppError `port_closed`, `sandbox_gone` */
  readonly connect: (place: PreviewPlace, signal: AbortSignal) => Promise<unknown>;
  readonly cookieName: string;
  /** How often open connections are looked at, whether their pass still stands; 5 seconds when absent. */
  readonly lookMs?: number;
  readonly onFailure: (thrown: unknown) => void;
};

const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_IN_ALL = 1000;

/**
 * Shows ports of sandboxes to browsers that hold a pass. It serves an origin, or a port, other than Handrail's own page:
 * what a sandbox serves is hostile, and must find no cookie of ours and no way to our routes. Not yet listening.
 */
export function previewServer(parts: PreviewServerParts): Server {
  const open: Open = { counts: new Map(), visits: openVisits({ lookMs: 5000, ...parts }) };
  const server = createServer({ maxHeaderSize: 64 * 1024, headersTimeout: 15_000, requestTimeout: 0 });
  server.maxConnections = MAX_CONNECTIONS_IN_ALL;
  server.on("request", (request, response) => {
    serve(request, response, parts, open).catch((thrown: unknown) => refuse(response, refusalOf(thrown, parts)));
  });
  server.on("upgrade", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on("error", () => client.destroy());
    upgrade(request, client, head, { parts, open }).catch((thrown: unknown) => {
      refuseUpgrade(client, refusalOf(thrown, parts));
    });
  });
  server.once("close", () => open.visits.close());
  server.on("clientError", (_error, client) => client.destroy());
  return server;
}

async function serve(request: IncomingMessage, response: ServerResponse, parts: PreviewServerParts, open: Open) {
  const opened = readOpenPath(request.url ?? "");
  if (opened !== undefined) return enter(request, response, opened, parts);
  const admitted = await admittedTo(request, parts);
  if ("status" in admitted) return refuse(response, admitted);
  const leave = take(open, admitted, () => response.destroy());
  if (leave === undefined) return refuse(response, TOO_MANY);
  try {
    const connection = await connectTo(admitted.place, parts, signalOf(response));
    await forwardRequest(request, response, connection, admitted.side);
  } finally {
    leave();
  }
}

async function upgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  { parts, open }: { readonly parts: PreviewServerParts; readonly open: Open },
): Promise<void> {
  const admitted = await admittedTo(request, parts);
  if ("status" in admitted) return refuseUpgrade(client, admitted);
  const { origin } = request.headers;
  if (origin !== undefined && origin !== admitted.side.origin) return refuseUpgrade(client, FOREIGN);
  const leave = take(open, admitted, () => client.destroy());
  if (leave === undefined) return refuseUpgrade(client, TOO_MANY);
  try {
    const connection = await connectTo(admitted.place, parts, signalOf(client));
    await forwardUpgrade(request, client, head, { connection, side: admitted.side });
  } finally {
    leave();
  }
}

const VISIT_MS = 12 * 3_600_000;

/** Trades the pass in the path for a cookie, so that the address that stays in the browser holds no secret. */
async function enter(
  request: IncomingMessage,
  response: ServerResponse,
  opened: OpenedPath,
  parts: PreviewServerParts,
): Promise<void> {
  const { passes, cookieName } = parts;
  const address = parts.address();
  const link = passes.read(opened.pass, "link");
  if (address === undefined || link === undefined) return refuse(response, NO_PASS);
  if (!matches(address.placeOf(request.headers.host), link) || !(await parts.admits(link))) {
    return refuse(response, NO_PASS);
  }
  const expiresAt = link.shareId === undefined ? Date.now() + VISIT_MS : link.expiresAt;
  const visit = passes.sign({ ...link, kind: "visit", expiresAt });
  const secure = address.originOf(link).startsWith("https:");
  const maxAge = Math.max(1, Math.floor((expiresAt - Date.now()) / 1000));
  const cookie = `${cookieName}=${visit}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAge}${secure ? "; Secure" : ""}`;
  response.writeHead(303, {
    location: opened.path,
    "set-cookie": cookie,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    // One origin after another for several previews: what the last one left must not meet the next.
    ...(address.ownOrigins ? {} : { "clear-site-data": '"cache", "storage"' }),
  });
  response.end();
}

type Admitted = { readonly place: PreviewPlace; readonly side: PreviewSide; readonly visit: Pass };

async function admittedTo(request: IncomingMessage, parts: PreviewServerParts): Promise<Admitted | PreviewRefusal> {
  const { passes, cookieName } = parts;
  const { headers } = request;
  const address = parts.address();
  const visit = passes.read(parseCookie(headers.cookie, cookieName) ?? "", "visit");
  if (address === undefined || visit === undefined) return NO_PASS;
  if (!matches(address.placeOf(headers.host), visit) || !(await parts.admits(visit))) return NO_PASS;
  const { conversationId, port } = visit;
  const side = { port, origin: address.originOf(visit), ownOrigin: address.ownOrigins };
  return wrongRequest(request, side) ?? { place: { conversationId, port }, side, visit };
}

function wrongRequest(request: IncomingMessage, { ownOrigin, origin }: PreviewSide): PreviewRefusal | undefined {
  if (isForeign(request, origin)) return FOREIGN;
  if (!ownOrigin && request.headers["service-worker"] === "script") return NO_WORKERS;
  return (request.url ?? "").startsWith("/") ? undefined : NO_PATH;
}

function matches(place: PreviewPlace | "any" | undefined, pass: Pass): boolean {
  if (place === "any") return true;
  return place?.conversationId === pass.conversationId && place.port === pass.port;
}

/**
 * What another site's page has the browser send carries the cookie too; following a link is all that it may do. Browsers
 * tell the site over HTTPS and on this machine only; elsewhere the origin counts, where there is one.
 */
function isForeign({ method, headers }: IncomingMessage, own: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site === undefined) return headers.origin !== undefined && headers.origin !== "null" && headers.origin !== own;
  if (site === "same-origin" || site === "none") return false;
  return headers["sec-fetch-mode"] !== "navigate" || (method !== "GET" && method !== "HEAD");
}

/** `counts`: connections by conversation. */
type Open = { readonly counts: Map<string, number>; readonly visits: OpenVisits };

/**
 * One more connection of this conversation, which `end` breaks off; undefined when there are too many. Call the result
 * when it is over.
 */
function take({ counts, visits }: Open, { place, visit }: Admitted, end: () => void): (() => void) | undefined {
  const { conversationId } = place;
  const count = counts.get(conversationId) ?? 0;
  if (count >= MAX_CONNECTIONS) return undefined;
  counts.set(conversationId, count + 1);
  const leave = visits.add(visit, end);
  return () => {
    leave();
    const left = (counts.get(conversationId) ?? 1) - 1;
    if (left > 0) counts.set(conversationId, left);
    else counts.delete(conversationId);
  };
}

async function connectTo(place: PreviewPlace, parts: PreviewServerParts, signal: AbortSignal): Promise<Duplex> {
  const connection = await parts.connect(place, signal);
  if (!(connection instanceof Duplex)) throw new TypeError("A backend gave a connection that is no stream.");
  connection.on("error", () => connection.destroy());
  signal.addEventListener("abort", () => connection.destroy(), { once: true });
  return connection;
}

function signalOf(client: ServerResponse | Duplex): AbortSignal {
  const gone = new AbortController();
  client.once("close", () => gone.abort(new Error("The browser has gone.")));
  return gone.signal;
}

function refuse(response: ServerResponse, refusal: PreviewRefusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const page = refusalPage(refusal);
  response.writeHead(refusal.status, { ...page.headers, "content-length": Buffer.byteLength(page.html) });
  response.end(page.html);
}

const refuseUpgrade = (client: Duplex, refusal: PreviewRefusal) => endUpgrade(client, refusalHead(refusal));

function refusalOf(thrown: unknown, { onFailure }: PreviewServerParts): PreviewRefusal {
  const error = toAppError(thrown);
  if (error.code !== "internal") return { status: 502, text: error.message };
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined) onFailure(thrown);
  return { status: 502, text: "The program in the sandbox did not answer as HTTP." };
}

const NO_PASS: PreviewRefusal = {
  status: 401,
  text: "This preview is over, or was never yours to see. Open it again from its conversation.",
};
const FOREIGN: PreviewRefusal = { status: 403, text: "Another site's page asked for this. Open the preview itself." };
const NO_WORKERS: PreviewRefusal = {
  status: 403,
  text: "Previews that share an origin may not register service workers.",
};
const NO_PATH: PreviewRefusal = { status: 400, text: "The request names no path." };
const TOO_MANY: PreviewRefusal = { status: 503, text: "Too many connections to this preview are open." };
