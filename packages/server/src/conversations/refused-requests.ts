import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";

/** `reason` is the broker's code. */
export type Refusal = { readonly conversationId: string; readonly host: string; readonly reason: string };

/** Shows the user what a sandbox was refused. */
export type RefusedRequests = { note(refusal: Refusal): Promise<void> };

/**
 * What is shown, by the broker's code: what no user can allow. For the rest there are asks; what failed for another
 * reason than the rule is the program's own affair.
 */
const REASONS: Readonly<Record<string, string>> = {
  network_off: "This conversation's sandbox has no network.",
  sni_mismatch: "The connection asked for another host than the one that it was allowed for.",
  address_forbidden: "The name leads to a private or reserved address.",
  host_invalid: "That is no host that can be checked.",
};

const AGAIN_MS = 600_000;
const MAX_REMEMBERED = 1000;
const MAX_HOST = 253;

/**
 * Writes a refused request to its conversation's log, for the user to see; each host at most once in ten minutes, so
 * that a program that tries for ever fills no log.
 */
export function refusedRequests(journal: (id: string) => Promise<Journal>, clock: Clock): RefusedRequests {
  const noted = new Map<string, number>();
  return {
    async note({ conversationId, host, reason }) {
      const why = REASONS[reason];
      if (why === undefined) return;
      const key = `${conversationId} ${host}`;
      const now = clock.now();
      if (now - (noted.get(key) ?? -Infinity) < AGAIN_MS) return;
      noted.delete(key);
      noted.set(key, now);
      for (const oldest of noted.keys()) if (noted.size > MAX_REMEMBERED) noted.delete(oldest);
      const text = `A request from the sandbox to ${host.slice(0, MAX_HOST)} was refused. ${why}`;
      await (
        await journal(conversationId)
      ).commit(() => [{ type: "notice.added", audience: "user", code: "egress_refused", text }]);
    },
  };
}
