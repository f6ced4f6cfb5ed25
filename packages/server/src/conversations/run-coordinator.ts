import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { RunPorts, RunSignals } from "@handrail/core/run-ports";
import { toAppError } from "@handrail/protocol/errors";
import { type RunPlaces, runPlaces } from "./run-places.ts";

/** Who drives runs in this process: at most one driver for each conversation. */
export type RunCoordinator = {
  /** Has the active run of a conversation driven to its end; nothing when none is active. */
  readonly wake: (conversationId: string) => void;
  /** Ends this run as `cancelled`, if it is the active one. Returns before it has. */
  stop(conversationId: string, runId: string): void;
  /** Resolves once no run of the conversation is driven here. Never rejects. */
  awaitIdle(conversationId: string): Promise<void>;
  isDriven(conversationId: string): boolean;
  readonly active: number;
  readonly waiting: number;
  /** Takes no more work and lets go of what is under way: those runs stay open in their logs. */
  close(): Promise<void>;
};

export type CoordinatorParts = {
  readonly portsFor: (conversationId: string) => Promise<RunPorts>;
  readonly drive: (ports: RunPorts, signals: RunSignals) => Promise<void>;
  readonly maxRuns: number;
  readonly clock: Clock;
  readonly onFailure: (conversationId: string, thrown: unknown) => void;
};

type Driven = {
  stop: AbortController;
  /** The run that is to stop; its drive may begin only later. */
  stopRunId: string | undefined;
  /** Woken since the drive began. */
  again: boolean;
  done: Promise<void>;
};

const STOPPED = new Error("Stopped by the user.");
const RETRY_MS = [1000, 5000, 15_000, 60_000];

export function runCoordinator(parts: CoordinatorParts): RunCoordinator {
  const driven = new Map<string, Driven>();
  const places = runPlaces(parts.maxRuns);
  const leave = new AbortController();
  const host: Host = { ...parts, places, leave: leave.signal };

  const wake = (id: string) => {
    if (leave.signal.aborted) return undefined;
    const known = driven.get(id);
    if (known !== undefined) {
      known.again = true;
      return known;
    }
    const entry: Driven = { stop: new AbortController(), stopRunId: undefined, again: false, done: Promise.resolve() };
    driven.set(id, entry);
    entry.done = driveOn(host, id, entry).finally(() => {
      driven.delete(id);
      if (entry.again) wake(id);
    });
    return entry;
  };

  return {
    wake: (id) => {
      wake(id);
    },
    stop(id, runId) {
      const entry = wake(id);
      if (entry === undefined) return;
      entry.stopRunId = runId;
      entry.stop.abort(STOPPED);
    },
    awaitIdle: async (id) => driven.get(id)?.done,
    isDriven: (id) => driven.has(id),
    get active() {
      return places.taken;
    },
    get waiting() {
      return places.waiting;
    },
    async close() {
      leave.abort(new Error("The server stops."));
      await Promise.all([...driven.values()].map((entry) => entry.done));
    },
  };
}

type Host = CoordinatorParts & { readonly places: RunPlaces; readonly leave: AbortSignal };

/** Drives until no run is open; what fails because the log cannot be written is tried again later. */
async function driveOn(host: Host, id: string, entry: Driven): Promise<void> {
  for (let failures = 0, more = true; more && !host.leave.aborted;) {
    entry.again = false;
    try {
      more = await driveOnce(host, id, entry);
      failures = 0;
    } catch (thrown) {
      host.onFailure(id, thrown);
      const delay = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0;
      await host.clock.sleep(delay, host.leave).catch(() => undefined);
    }
  }
}

/** Whether a run is open after it. */
async function driveOnce(host: Host, id: string, entry: Driven): Promise<boolean> {
  const { leave } = host;
  const ports = await host.portsFor(id);
  await ports.journal.catchUp();
  if (ports.journal.state.run === null) return false;
  const release = await takePlace(host, entry, ports);
  try {
    if (!leave.aborted) await host.drive(ports, { stop: entry.stop.signal, leave });
  } catch (thrown) {
    if (leave.aborted) return false;
    host.onFailure(id, thrown);
    await endFailed(ports.journal, thrown);
  } finally {
    release();
  }
  const { run } = ports.journal.state;
  entry.stop = new AbortController();
  if (run !== null && run.runId === entry.stopRunId) entry.stop.abort(STOPPED);
  return run !== null;
}

async function takePlace({ places, leave, maxRuns }: Host, entry: Driven, ports: RunPorts): Promise<() => void> {
  let waited = false;
  const release = await places.take(AbortSignal.any([entry.stop.signal, leave]), (ahead) => {
    waited = true;
    ports.emit({ type: "progress.delta", text: waitText(maxRuns, ahead) });
  });
  if (waited) ports.emit({ type: "progress.delta", text: "" });
  return release;
}

/** A driver that throws has left the run open: it is closed here, so that the user can go on. */
async function endFailed(journal: Journal, thrown: unknown): Promise<void> {
  const error = toAppError(thrown);
  if (error.code === "storage_full" || error.code === "storage_failed") throw error;
  await journal.commit(({ run }) =>
    run === null
      ? []
      : [
          {
            type: "run.ended",
            runId: run.runId,
            outcome: "failed",
            detail: error.message,
            errorCode: error.code,
          },
        ],
  );
}

const waitText = (max: number, ahead: number) =>
  `Waiting for a free place: ${max} ${max === 1 ? "run is" : "runs are"} under way` +
  (ahead === 0 ? "." : `, and ${ahead} ${ahead === 1 ? "waits" : "wait"} before this one.`);
