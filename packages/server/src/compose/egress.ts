import type { Duplex } from "node:stream";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { WorkspaceSource } from "@handrail/protocol/sources";
import type { Logger } from "pino";
import { systemClock } from "../clock.ts";
import type { OpenJournals } from "../conversations/open-journals.ts";
import { refusedRequests } from "../conversations/refused-requests.ts";

type Egress = (origin: { readonly conversationId: string }, stream: Duplex) => void;

/** The way of sandboxes to the network, made when the first backend is. */
export type LazyEgress = () => Promise<Egress>;

export type EgressParts = { readonly store: LogStore; readonly journals: OpenJournals; readonly log: Logger };

/** The way of sandboxes to the network: one broker, made when the first backend is. */
export function lazyEgress({ store, journals, log }: EgressParts): LazyEgress {
  let made: Promise<Egress> | undefined;
  const make = async (): Promise<Egress> => {
    const [{ createBroker }, { rulesOf }] = await Promise.all([
      import("@handrail/broker/create-broker"),
      import("@handrail/broker/allow-list"),
    ]);
    const refused = refusedRequests(store, systemClock);
    const broker = createBroker({
      async lookUp(conversationId) {
        const { source, sandbox } = (await journals.get(conversationId)).state;
        return { rules: rulesOf(sandbox.network, [], gitHostOf(source)), bytesUsed: 0 };
      },
      onRequest(record) {
        log.debug({ ...record }, "network request of a sandbox");
        const { reason } = record;
        if (reason === undefined) return;
        refused.note({ ...record, reason }).catch((error: unknown) => log.warn({ err: error }, "refusal not noted"));
      },
    });
    return broker.handle;
  };
  return () => (made ??= make());
}

/** The host of the conversation's own repository; undefined when it has none. */
function gitHostOf(source: WorkspaceSource): string | undefined {
  if (source.type !== "git") return undefined;
  const host = URL.canParse(source.url) ? new URL(source.url).hostname : /^(?:[^@/]+@)?([^:/]+):/.exec(source.url)?.[1];
  return host === "" ? undefined : host;
}
