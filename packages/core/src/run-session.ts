import { type ContextBuilder, contextBuilder } from "./context.ts";
import type { RunPorts } from "./run-ports.ts";
import type { CutStep } from "./run-step.ts";
import { type StepCheckpoints, stepCheckpoints } from "./step-checkpoints.ts";
import { type TokenEstimate, tokenEstimate } from "./token-estimate.ts";

/** What one driver holds in memory while it drives a run. All of it can be made again from the log. */
export type RunSession = {
  readonly ports: RunPorts;
  readonly runId: string;
  /** Aborted once this driver has left: what fails from then on says nothing of the run. */
  readonly leave: AbortSignal;
  readonly builder: ContextBuilder;
  readonly estimate: TokenEstimate;
  /** The attempt at a step that is under way. */
  cut: CutStep | undefined;
  saidUnpriced: boolean;
  /** To be closed with the session. */
  readonly kept: StepCheckpoints;
  /** Stops following the log. */
  close(): void;
};

const PAGE = 1000;

/** Reads the log into a context and keeps it up with what comes. */
export async function openSession(ports: RunPorts, runId: string, leave: AbortSignal): Promise<RunSession> {
  const { journal, store } = ports;
  const builder = contextBuilder();
  let seen = -1;
  const add = (events: Parameters<ContextBuilder["add"]>[0]) => {
    const fresh = events.filter((stored) => stored.seq > seen);
    seen = fresh.at(-1)?.seq ?? seen;
    builder.add(fresh);
  };
  const early: Parameters<ContextBuilder["add"]>[0][] = [];
  let ready = false;
  const close = journal.onEvents((events) => (ready ? add(events) : void early.push(events)));
  for (;;) {
    const page = await store.read(journal.state.id, seen, PAGE);
    add(page);
    if (page.length < PAGE) break;
  }
  for (const events of early) add(events);
  ready = true;
  const kept = stepCheckpoints(ports, leave);
  return { ports, runId, leave, builder, estimate: tokenEstimate(), cut: undefined, saidUnpriced: false, kept, close };
}
