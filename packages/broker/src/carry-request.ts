import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { authorise, type AuthoriseSettings } from "./authorise.ts";
import type { Target } from "./host.ts";
import type { AddressSettings } from "./find-addresses.ts";
import { openUpstream } from "./open-upstream.ts";
import type { Refusal, RefusalCode } from "./refusal.ts";
import { openingFor, type Seen, seenRequests } from "./tls/opened-requests.ts";
import type { Opening } from "./tls/open-tls.ts";

/**
 * One request, once it is over. `host` is what was asked for, normalised where it could be; `port` 0 where it could not.
 * `path` has no query, and is there only where it was seen. `at` is when the request came (Unix milliseconds). Bytes are
 * those on the connection to the host. `rule` is what let it through; `reason` why it was refused, or why it failed. Texts
 * may be as long as a request's head.
 */
export type BrokerRecord = {
  readonly conversationId: string;
  readonly at: number;
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly path?: string | undefined;
  readonly allowed: boolean;
  readonly rule?: string | undefined;
  readonly reason?: RefusalCode | undefined;
  /** Names of the secrets that were put in. */
  readonly secrets?: readonly string[];
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly durationMs: number;
};

export type CarrySettings = AddressSettings &
  AuthoriseSettings & {
    readonly onRequest: (record: BrokerRecord) => void;
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
};

/** What a connection is opened with, and what is done with the requests in it. */
export type Opened = { readonly opening: Opening; readonly seen: Seen };

export type Carrying = {
  readonly conversationId: string;
  /** The sandbox's end. */
  readonly stream: Duplex;
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

/** Carries one request from its asking to its end, tells the client what came of it, and reports it, once. */
export async function carryRequest(carrying: Carrying): Promise<void> {
  const { stream, settings, conversationId } = carrying;
  const at = settings.now();
  const gone = new AbortController();
  stream.once("close", () => gone.abort());
  const outcome = await attempt(carrying, gone.signal);
  tell(carrying, outcome);
  outcome.upstream?.destroy();
  if (outcome.reported === true) return;
  settings.onRequest({ conversationId, at, ...recordOf(carrying.asked, outcome), durationMs: settings.now() - at });
}

/** `broken`: a side went away in the middle, and the other must not take what it got for the whole. */
type Outcome = {
  readonly rule?: string;
  readonly refusal?: Refusal | undefined;
  readonly upstream?: Socket;
  readonly broken?: boolean;
  /** The requests within an opened connection have been reported. */
  readonly reported?: boolean;
};

async function attempt(carrying: Carrying, gone: AbortSignal): Promise<Outcome> {
  const { conversationId, settings, asked } = carrying;
  const { target, method, path } = asked;
  if ("code" in target) return { refusal: target };
  const visible = path === undefined ? target : { ...target, method, path };
  const opening = carrying.open && (await openingFor(conversationId, target, settings));
  const decision = await authorise(conversationId, { ...visible, opened: opening !== undefined }, settings, gone);
  if ("code" in decision) return { refusal: decision };
  const rule = decision.allowedBy;
  const upstream = await openUpstream(target, settings);
  if ("code" in upstream) return { rule, refusal: upstream };
  const seen = seenRequests({ conversationId, target, rule, settings, gone });
  const use = () =>
    carrying.open && opening
      ? carrying.open(upstream, target, { opening, seen })
      : carrying.pass(upstream, target, seen);
  const passed = await passOver(carrying, upstream, use);
  return { rule, upstream, ...passed, reported: seen.count() > 0 };
}

type Use = () => Promise<Refusal | undefined>;

async function passOver(carrying: Carrying, upstream: Socket, use: Use): Promise<Outcome> {
  const { conversationId, stream, settings } = carrying;
  let cutBy: Refusal | undefined;
  upstream.on("error", () => undefined);
  upstream.setTimeout(settings.idleMs, () => stream.destroy());
  stream.once("close", () => upstream.destroy());
  const unfollow = settings.traffic.follow(conversationId, upstream, (refusal) => {
    cutBy = refusal;
    stream.destroy();
  });
  try {
    if (stream.destroyed) return { broken: true };
    const refusal = await use();
    return { refusal: cutBy ?? refusal };
  } catch {
    return { refusal: cutBy, broken: true };
  } finally {
    unfollow();
  }
}

function tell({ stream, refuse, end }: Carrying, { refusal, broken }: Outcome): void {
  if (broken === true) stream.destroy();
  else if (refusal === undefined) end();
  else refuse(refusal);
}

/** Why a request is refused that a rule would let through. */
const FORBIDDEN: ReadonlySet<RefusalCode | undefined> = new Set(["sni_mismatch", "address_forbidden"]);

function recordOf({ target, method, host, path }: Asked, { rule, refusal, upstream }: Outcome) {
  const place = "code" in target ? { host, port: 0 } : { host: target.host.name, port: target.port };
  return {
    method,
    ...place,
    path,
    allowed: rule !== undefined && !FORBIDDEN.has(refusal?.code),
    rule,
    reason: refusal?.code,
    bytesUp: upstream?.bytesWritten ?? 0,
    bytesDown: upstream?.bytesRead ?? 0,
  };
}
