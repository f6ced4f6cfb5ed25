import type { Target } from "../host.ts";
import { needsOpening } from "../allow-list.ts";
import { authorise, BY_REQUEST } from "../authorise.ts";
import type { CarrySettings } from "../carry-request.ts";
import { belongsTo } from "../secrets/put-secrets.ts";
import type { OpenedConnection, Opening } from "./open-tls.ts";

/** What an opened connection needs beside its ends. `seen` counts the requests that were reported. */
export type Opened = Pick<OpenedConnection, "opening" | "check" | "report"> & { readonly seen: () => number };

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

export type OpenedFor = {
  readonly conversationId: string;
  readonly target: Target;
  readonly opening: Opening;
  /** What allowed the connection. */
  readonly rule: string;
  readonly settings: CarrySettings;
  /** Aborted when the client goes. */
  readonly gone: AbortSignal;
};

/** Each request within the connection is asked for and reported like one of its own. */
export function openedRequests({ conversationId, target, opening, rule, settings, gone }: OpenedFor): Opened {
  let seen = 0;
  return {
    opening,
    seen: () => seen,
    async check(request) {
      // Where the host was allowed as a whole, as a tunnel would be, it stays so while the connection lasts.
      const whole = rule !== BY_REQUEST.allowedBy;
      const asked = whole ? target : { ...target, ...request };
      const decision = await authorise(conversationId, asked, whole ? decided(settings, rule) : settings, gone);
      return "code" in decision ? decision : { rule: decision.allowedBy };
    },
    report(record) {
      seen += 1;
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
