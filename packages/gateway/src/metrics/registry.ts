import { collectDefaultMetrics, Counter, Registry } from "prom-client";
import type { EventCounts } from "./event-counters.ts";
import { gauges, type GaugeSources } from "./gauges.ts";

/** `process`: whether the process itself is counted too. */
export type Registered = {
  readonly counts: readonly EventCounts[];
  readonly sources: GaugeSources;
  readonly process: boolean;
};

/** What is read when it is asked for, in a registry. */
export function registryOf({ counts, sources, process }: Registered): Registry {
  const registry = new Registry();
  if (process) collectDefaultMetrics({ register: registry });
  gauges(registry, sources);
  for (const { name, help, labelNames, lines } of counts) {
    void new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, count } of lines()) this.inc(labels, count);
      },
    });
  }
  return registry;
}
