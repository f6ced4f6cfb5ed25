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
/** Hosts that are named in that time; after them it is said that there are more. */
const MAX_NAMED = 20;

/**
 * Writes a refused request to its conversation's log, for the user to see; each host once in ten minutes and few hosts in
 * all, so that a program that tries for ever, whatever it asks for, fills no log.
 */
export function refusedRequests(journal: (id: string) => Promise<Journal>, clock: Clock): RefusedRequests {
  const noted = new Map<string, { readonly from: number; readonly hosts: Set<string> }>();
  const hostsOf = (id: string) => {
    const now = clock.now();
    const known = noted.get(id);
    if (known !== undefined && now - known.from < AGAIN_MS) return known.hosts;
    const hosts = new Set<string>();
    noted.delete(id);
    noted.set(id, { from: now, hosts });
    for (const oldest of noted.keys()) if (noted.size > MAX_REMEMBERED) noted.delete(oldest);
    return hosts;
  };
  return {
    async note({ conversationId, host, reason }) {
      const why = REASONS[reason];
      if (why === undefined) return;
      const hosts = hostsOf(conversationId);
      if (hosts.has(host) || hosts.size > MAX_NAMED) return;
      hosts.add(host);
      const named = `A request from the sandbox to ${host.slice(0, MAX_HOST)} was refused. ${why}`;
      const text = hosts.size > MAX_NAMED ? MORE : named;
      await (
        await journal(conversationId)
      ).commit(() => [{ type: "notice.added", audience: "user", code: "egress_refused", text }]);
    },
  };
}

const MORE = "Requests from the sandbox to more hosts were refused. The list of its network use has them.";
