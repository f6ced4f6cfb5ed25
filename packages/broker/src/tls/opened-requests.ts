import type { Target } from "../host.ts";
import { needsOpening } from "../allow-list.ts";
import { authorise, BY_REQUEST } from "../authorise.ts";
import type { CarrySettings } from "../carry-request.ts";
import { belongsTo } from "../secrets/put-secrets.ts";
import type { OpenedConnection, Opening } from "./open-tls.ts";

/** What is done with each request of a connection that can be seen. `count` is of those that were reported. */
export type Seen = Pick<OpenedConnection, "check" | "report"> & { readonly count: () => number };

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
};

/** Each request within the connection is asked for and reported like one of its own. */
export function seenRequests({ conversationId, target, rule, settings, gone }: SeenFor): Seen {
  let count = 0;
  return {
    count: () => count,
    async check(request) {
      // Where the host was allowed as a whole, as a tunnel would be, it stays so while the connection lasts.
      const whole = rule !== BY_REQUEST.allowedBy;
      const asked = whole ? target : { ...target, ...request };
      const decision = await authorise(conversationId, asked, whole ? decided(settings, rule) : settings, gone);
      return "code" in decision ? decision : { rule: decision.allowedBy };
    },
    report(record) {
      count += 1;
      const durationMs = settings.now() - record.at;
      const allowed = record.rule !== undefined;
      settings.onRequest({
        conversationId,
        host: target.host.name,
        port: target.port,
        ...record,
        allowed,
        durationMs,
      });
    },
  };
}

/** The limits hold for each request; the person who allowed the connection is not asked again. */
function decided(settings: CarrySettings, rule: string): CarrySettings {
  return { ...settings, askUser: async () => ({ allowedBy: rule }) };
}
