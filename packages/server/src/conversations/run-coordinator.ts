import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { RunPorts, RunSignals } from "@handrail/core/run-ports";
import { toAppError } from "@handrail/protocol/errors";
import { runPlaces } from "./run-places.ts";

/** Who drives runs in this process: at most one driver for each conversation. */
export type RunCoordinator = {
  /** Has the active run of a conversation driven to its end; nothing when none is active. */
  wake(conversationId: string): void;
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

  const takePlace = async (entry: Driven, ports: RunPorts) => {
    const signal = AbortSignal.any([entry.stop.signal, leave.signal]);
    const release = await places.take(signal, (ahead) =>
      ports.emit({ type: "progress.delta", text: waitText(parts.maxRuns, ahead) }),
    );
    ports.emit({ type: "progress.delta", text: "" });
    return release;
  };
  const driveOnce = async (id: string, entry: Driven) => {
    const ports = await parts.portsFor(id);
    const release = await takePlace(entry, ports);
    try {
      if (!leave.signal.aborted) await parts.drive(ports, { stop: entry.stop.signal, leave: leave.signal });
    } catch (thrown) {
      if (leave.signal.aborted) return false;
      parts.onFailure(id, thrown);
      await endFailed(ports.journal, thrown);
    } finally {
      release();
    }
    const { run } = ports.journal.state;
    entry.stop = new AbortController();
    if (run !== null && run.runId === entry.stopRunId) entry.stop.abort(STOPPED);
    return run !== null;
  };
  const driveOn = async (id: string, entry: Driven) => {
    for (let failures = 0, more = true; more && !leave.signal.aborted;) {
      entry.again = false;
      try {
        more = await driveOnce(id, entry);
        failures = 0;
      } catch (thrown) {
        parts.onFailure(id, thrown);
        const delay = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0;
        await parts.clock.sleep(delay, leave.signal).catch(() => undefined);
      }
    }
  };
  const wake = (id: string) => {
    if (leave.signal.aborted) return undefined;
    const known = driven.get(id);
    if (known !== undefined) {
      known.again = true;
      return known;
    }
    const entry: Driven = { stop: new AbortController(), stopRunId: undefined, again: false, done: Promise.resolve() };
    driven.set(id, entry);
    entry.done = driveOn(id, entry).finally(() => {
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
