import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { authorise, type AuthoriseSettings } from "./authorise.ts";
import type { Target } from "./host.ts";
import type { Begun, BegunRequest, BrokerRecord, ByteCount } from "./broker-record.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { ResolveFor } from "./fair-lookups.ts";
import { openUpstream } from "./open-upstream.ts";
import type { Refusal, RefusalCode } from "./refusal.ts";
import { openingFor, type Seen, seenRequests } from "./tls/opened-requests.ts";
import type { Opening } from "./tls/open-tls.ts";
import { watchEnd } from "./watch-end.ts";

export type CarrySettings = AuthoriseSettings & {
  readonly resolveFor: ResolveFor;
  /** Writes a request down before it goes out; it does not go where that failed. Ends the record by the result. */
  readonly onBegin: (request: BegunRequest, bytes: ByteCount) => Begun | Refusal;
  /** Writes down a request that never went out. */
  readonly onRequest: (record: BrokerRecord) => void;
  readonly openRequests: OpenRequests;
  /** What HTTPS of this conversation is opened with; undefined: it never is. Asked at each connection. */
  readonly openWith: (conversationId: string) => Promise<Opening | undefined>;
  readonly idleMs: number;
  readonly now: () => number;
};

/** What a client asks for. `host` is as it was written, for when the target is a refusal. */
export type Asked = {
  readonly method: string;
  readonly host: string;
  readonly target: Target | Refusal;
  /** Only where the request can be seen: then the rules for kinds of request hold. */
  readonly path?: string;
  /** The host may take it for one of another method or path. */
  readonly disguised?: boolean;
};

/** What a connection is opened with, and what is done with the requests in it. */
export type Opened = { readonly opening: Opening; readonly seen: Seen };

export type Carrying = {
  readonly conversationId: string;
  /** The sandbox's end. */
  readonly stream: Duplex;
  /** Nobody reads the stream before the request is let through. */
  readonly unread?: boolean;
  readonly settings: CarrySettings;
  readonly asked: Asked;
  /** How the connection is used when its TLS is opened; absent: it never is. */
  readonly open?: (upstream: Socket, target: Target, opened: Opened) => Promise<Refusal | undefined>;
  /** Does the request over the connection to the host; gives the refusal when there was no answer. */
  readonly pass: (upstream: Socket, target: Target, seen: Seen) => Promise<Refusal | undefined>;
  /** Tells the client of a refusal that came before `pass`, and ends the stream. */
  readonly refuse: (refusal: Refusal) => void;
  /** Ends the stream after a request that went through. */
  readonly end: () => void;
};

/** Carries one request from its asking to its end, writes down what came of it, once, and tells the client. */
export async function carryRequest(carrying: Carrying): Promise<void> {
  const { stream, settings, conversationId } = carrying;
  const at = settings.now();
  const gone = new AbortController();
  const leave = () => gone.abort();
  // A channel of a sandbox whose client closed takes no more at once, though its close and its end come behind what is unread.
  stream.once("close", leave).once("finish", leave);
  const outcome = await attempt(carrying, at, gone);
  const { begun, upstream } = outcome;
  const record = { conversationId, at, ...recordOf(carrying.asked, outcome), durationMs: settings.now() - at };
  if (outcome.reported !== true) (begun?.end ?? settings.onRequest)(record);
  tell(carrying, outcome);
  upstream?.destroy();
}

/** `broken`: a side went away in the middle, and the other must not take what it got for the whole. */
type Outcome = {
  readonly rule?: string;
  readonly refusal?: Refusal | undefined;
  /** Undefined: nothing has gone out. */
  readonly begun?: Begun;
  readonly upstream?: Socket;
  readonly broken?: boolean;
  /** The requests within an opened connection have been reported. */
  readonly reported?: boolean;
};

async function attempt(carrying: Carrying, at: number, gone: AbortController): Promise<Outcome> {
  const { conversationId, settings, asked } = carrying;
  const { target, method, path, disguised } = asked;
  if ("code" in target) return { refusal: target };
  const visible = path === undefined ? target : { ...target, method, path, disguised };
  const opening = carrying.open && (await openingFor(conversationId, target, settings));
  const asking = { ...settings, askUser: whoAsks(carrying, gone) };
  const decision = await authorise(conversationId, { ...visible, opened: opening !== undefined }, asking, gone.signal);
  if ("code" in decision) return { refusal: decision };
  const rule = decision.allowedBy;
  const going: Going = { carrying, target, rule, opening, gone: gone.signal };
  const place = { method, host: target.host.name, port: target.port, path };
  const begun = settings.onBegin({ conversationId, at, ...place, rule }, () => bytesOf(going.upstream));
  if ("code" in begun) return { refusal: begun };
  const cut = (refusal: Refusal) => {
    going.cutBy ??= refusal;
    carrying.stream.destroy();
  };
  const leave = settings.openRequests.add(conversationId, { asked: visible, rule, cut });
  try {
    return { rule, begun, ...(await go(going, begun, cut)) };
  } finally {
    leave();
  }
}

/** Asks as ever, and notices meanwhile that the client has gone, also where nobody reads what it sends. */
function whoAsks({ unread, stream, settings }: Carrying, gone: AbortController): CarrySettings["askUser"] {
  if (unread !== true) return settings.askUser;
  return (question, signal) => {
    const stop = watchEnd(stream, () => gone.abort());
    return settings.askUser(question, signal).finally(stop);
  };
}

/** A request that was let through. */
type Going = {
  readonly carrying: Carrying;
  readonly target: Target;
  readonly rule: string;
  readonly opening: Opening | undefined;
  readonly gone: AbortSignal;
  upstream?: Socket;
  /** Why it was broken off. */
  cutBy?: Refusal;
};

async function go(going: Going, begun: Begun, cut: (refusal: Refusal) => void): Promise<Outcome> {
  const { carrying, target, rule, opening, gone } = going;
  const { conversationId, settings } = carrying;
  const resolve = (name: string) => settings.resolveFor(conversationId, name);
  const upstream = await openUpstream(target, { ...settings, resolve });
  if ("code" in upstream) return { refusal: going.cutBy ?? upstream };
  going.upstream = upstream;
  const seen = seenRequests({ conversationId, target, rule, settings, gone, drop: begun.drop, cut });
  const use = () =>
    carrying.open && opening
      ? carrying.open(upstream, target, { opening, seen })
      : carrying.pass(upstream, target, seen);
  const unfollow = settings.traffic.follow(conversationId, upstream, cut);
  const passed = await passOver(carrying, upstream, use).finally(unfollow);
  return { upstream, ...passed, refusal: going.cutBy ?? passed.refusal, reported: seen.count() > 0 };
}

type Use = () => Promise<Refusal | undefined>;

async function passOver({ stream, settings }: Carrying, upstream: Socket, use: Use): Promise<Outcome> {
  upstream.on("error", () => undefined);
  upstream.setTimeout(settings.idleMs, () => stream.destroy());
  stream.once("close", () => upstream.destroy());
  if (stream.destroyed) return { broken: true };
  try {
    return { refusal: await use() };
  } catch {
    return { broken: true };
  }
}

const bytesOf = (upstream: Socket | undefined) => ({
  bytesUp: upstream?.bytesWritten ?? 0,
  bytesDown: upstream?.bytesRead ?? 0,
});

function tell({ stream, refuse, end }: Carrying, { refusal, broken }: Outcome): void {
  if (broken === true) stream.destroy();
  else if (refusal === undefined) end();
  else refuse(refusal);
}

/** Why a request is refused that a rule would let through. */
const FORBIDDEN: ReadonlySet<RefusalCode | undefined> = new Set([
  "sni_mismatch",
  "request_unseen",
  "address_forbidden",
]);

function recordOf({ target, method, host, path }: Asked, { rule, refusal, upstream }: Outcome) {
  const place = "code" in target ? { host, port: 0 } : { host: target.host.name, port: target.port };
  return {
    method,
    ...place,
    path,
    allowed: rule !== undefined && !FORBIDDEN.has(refusal?.code),
    rule,
    reason: refusal?.code,
    ...bytesOf(upstream),
  };
}
