import type { Target } from "../host.ts";
import { needsOpening } from "../allow-list.ts";
import { authorise, BY_REQUEST } from "../authorise.ts";
import type { Begun, BrokerRecord } from "../broker-record.ts";
import type { CarrySettings } from "../carry-request.ts";
import type { OpenRequest } from "../open-requests.ts";
import type { Refusal } from "../refusal.ts";
import { belongsTo } from "../secrets/put-secrets.ts";
import type { OpenedConnection, OpenedRecord, Opening } from "./open-tls.ts";

/** What is done with each request of a connection that can be seen. `count` is of those that were reported. */
export type Seen = Pick<OpenedConnection, "check" | "begin" | "report" | "secrets"> & { readonly count: () => number };

/**
 * What the TLS to this host is opened with; undefined where it stays closed, since no secret belongs to the host and its
 * rules do not ask for more than its name.
 */
export async function openingFor(
  conversationId: string,
  target: Target,
  { lookUp, openWith }: Pick<CarrySettings, "lookUp" | "openWith">,
): Promise<Opening | undefined> {
  const opening = await openWith(conversationId);
  if (opening === undefined) return undefined;
  if (opening.secrets.some((secret) => belongsTo(secret, target))) return opening;
  return needsOpening((await lookUp(conversationId)).rules, target) ? opening : undefined;
}

export type SeenFor = {
  readonly conversationId: string;
  readonly target: Target;
  /** What allowed the connection. */
  readonly rule: string;
  readonly settings: CarrySettings;
  /** Aborted when the client goes. */
  readonly gone: AbortSignal;
  /** Takes the connection's own record back: its requests have theirs. */
  readonly drop: () => void;
  /** Breaks the connection off. */
  readonly cut: (refusal: Refusal) => void;
};

/** Each request within the connection is asked for and reported like one of its own. */
export function seenRequests(connection: SeenFor): Seen {
  const { conversationId, target, rule, settings, gone, drop } = connection;
  let count = 0;
  // Where the host was allowed as a whole, as a tunnel would be, it stays so while the rule does.
  const whole = rule !== BY_REQUEST.allowedBy;
  const recordOf = (record: OpenedRecord): BrokerRecord => ({
    conversationId,
    host: target.host.name,
    port: target.port,
    ...record,
    allowed: record.rule !== undefined,
    durationMs: settings.now() - record.at,
  });
  const counted = () => {
    if (count === 0) drop();
    count += 1;
  };
  return {
    count: () => count,
    secrets: async () => (await settings.openWith(conversationId))?.secrets ?? [],
    async check(request) {
      const asked = whole ? target : { ...target, ...request };
      const decision = await authorise(conversationId, asked, whole ? decided(settings, rule) : settings, gone);
      return "code" in decision ? decision : { rule: decision.allowedBy };
    },
    begin(request, bytes) {
      const { host, port } = target;
      const begun = settings.onBegin({ conversationId, host: host.name, port, ...request }, bytes);
      if ("code" in begun) return begun;
      counted();
      const { method, path } = request;
      return held(connection, { asked: whole ? target : { ...target, method, path }, rule: request.rule }, (record) =>
        begun.end(recordOf(record)),
      );
    },
    report(record) {
      counted();
      settings.onRequest(recordOf(record));
    },
  };
}

/** Held against the rules as they change, until it is over. */
function held(
  { conversationId, settings, cut }: SeenFor,
  open: Pick<OpenRequest, "asked" | "rule">,
  end: (record: OpenedRecord) => void,
): Pick<Begun<OpenedRecord>, "end"> {
  let cutBy: Refusal | undefined;
  const leave = settings.openRequests.add(conversationId, {
    ...open,
    cut(refusal) {
      cutBy = refusal;
      cut(refusal);
    },
  });
  return {
    end(record) {
      leave();
      end({ ...record, reason: cutBy?.code ?? record.reason });
    },
  };
}

/** The limits hold for each request; the person who allowed the connection is not asked again. */
function decided(settings: CarrySettings, rule: string): CarrySettings {
  return { ...settings, askUser: async () => ({ allowedBy: rule }) };
}
