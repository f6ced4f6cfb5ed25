import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { StoredEvent } from "@handrail/protocol/events";
import { newId, type IdPrefix } from "@handrail/protocol/ids";
import type { Logger } from "pino";
import type { TeamsOf } from "../auth/teams.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { LiveDeltas } from "../conversations/live-deltas.ts";
import type { OpenJournals } from "../conversations/open-journals.ts";
import { refusedRequests } from "../conversations/refused-requests.ts";
import { type Asks, askUsers } from "../network/asks.ts";
import { networkLog } from "../network/network-log.ts";
import { openSpool } from "../network/network-spool.ts";
import { openStoredRules, type StoredRules, StoredRulesFile } from "../network/stored-rules.ts";
import { jsonFile } from "../settings/json-file.ts";
import type { LazySandboxSecrets } from "./secrets.ts";

type Egress = (origin: { readonly conversationId: string }, stream: Duplex) => void;

/** The way of sandboxes to the network, made when the first backend is. */
export type LazyEgress = () => Promise<Egress>;

export type NetworkParts = {
  readonly config: Config;
  readonly journals: OpenJournals;
  readonly deltas: LiveDeltas;
  readonly log: Logger;
  readonly sandboxSecrets: LazySandboxSecrets;
  readonly teamsOf: TeamsOf;
};

/** Everything that decides about the network of sandboxes and writes down what they do there. */
export type Network = {
  readonly storedRules: StoredRules;
  readonly asks: Asks;
  readonly egress: LazyEgress;
  /** To be told what was appended: connections that a changed rule does not allow any more are broken off. */
  readonly onStored: (conversationId: string, events: readonly StoredEvent[]) => void;
  /** Breaks off all connections and writes what is not in the logs yet. */
  close(): Promise<void>;
};

/** @throws AppError `storage_failed` when the file of stored rules is damaged, `storage_full` */
export async function openNetwork(parts: NetworkParts): Promise<Network> {
  const { config, journals, deltas, log, sandboxSecrets, teamsOf } = parts;
  const { limits, askMs, privateHosts } = config.network;
  const unwritten = (thrown: unknown) => log.warn({ err: thrown }, "network use not written to the log");
  const file = jsonFile(join(config.home, "network-rules.json"), StoredRulesFile);
  const makeId = (prefix: IdPrefix) => newId(prefix, Date.now());
  const storedRules = await openStoredRules({ file, now: Date.now, newId: makeId });
  const common = { journal: journals.get, clock: systemClock };
  const asks = askUsers({ ...common, storedRules, attended: deltas.isAttended, holdMs: askMs, newId: makeId });
  const spool = await openSpool(join(config.home, "network.spool"), systemClock);
  const records = networkLog({ ...common, spool, onFailure: unwritten });
  const refused = refusedRequests(journals.get, systemClock);
  const egress = { ...common, storedRules, teamsOf, asks, log: records, refused, limits, privateHosts };
  const make = async () => {
    const { networkEgress } = await import("./network-egress.ts");
    const secrets = await sandboxSecrets();
    return networkEgress({ ...egress, secrets, onFailure: unwritten });
  };
  let made: ReturnType<typeof make> | undefined;
  const recheck = async (conversationId?: string) => {
    // The log has the change before the journal does.
    if (conversationId !== undefined) await (await journals.get(conversationId)).catchUp();
    await (await made)?.recheck(conversationId);
  };
  const onFailure = (thrown: unknown) => log.warn({ err: thrown }, "open connections not held against changed rules");
  storedRules.onChange(() => void recheck().catch(onFailure));
  return {
    onStored(id, events) {
      const changed = ({ event }: StoredEvent) =>
        event.type === "conversation.configured" && event.network !== undefined;
      if (made !== undefined && events.some(changed)) recheck(id).catch(onFailure);
    },
    storedRules,
    asks,
    egress: async () => (await (made ??= make())).handle,
    async close() {
      (await made)?.close();
      // Connections report themselves a turn after they broke.
      await turn();
      await turn();
      await records.close();
    },
  };
}
