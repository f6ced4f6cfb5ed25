import type { Duplex } from "node:stream";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { NetworkRule, WorkspaceSource } from "@handrail/protocol/sources";
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
    const { createBroker } = await import("@handrail/broker/create-broker");
    const refused = refusedRequests(store, systemClock);
    const broker = createBroker({
      onRequest(record) {
        log.debug({ ...record }, "network request of a sandbox");
        const { reason } = record;
        if (reason === undefined) return;
        refused.note({ ...record, reason }).catch((error: unknown) => log.warn({ err: error }, "refusal not noted"));
      },
    });
    return (origin, stream) => {
      journals.get(origin.conversationId).then(
        ({ state: { source, sandbox } }) => {
          const { network } = sandbox;
          broker.handle({ ...origin, network, extraHosts: hostsOf(source, network) }, stream);
        },
        () => stream.destroy(),
      );
    };
  };
  return () => (made ??= make());
}

/** The host of the conversation's own repository belongs to the preset for git. */
function hostsOf(source: WorkspaceSource, network: NetworkRule): readonly string[] {
  if (source.type !== "git" || network.type !== "allow" || !network.presets.includes("git")) return [];
  const host = URL.canParse(source.url) ? new URL(source.url).hostname : /^(?:[^@/]+@)?([^:/]+):/.exec(source.url)?.[1];
  return host === undefined || host === "" ? [] : [host];
}
