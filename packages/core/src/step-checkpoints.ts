import { countChanges } from "@handrail/protocol/changes";
import { toAppError } from "@handrail/protocol/errors";
import type { EventOf } from "@handrail/protocol/events";
import type { OperationResult } from "@handrail/protocol/sandboxd/operations";
import { limited, SNAPSHOT_PATIENCE_MS } from "./checkpoint.ts";
import type { RunPorts } from "./run-ports.ts";

/** Keeps the workspace after steps, beside the loop, which never waits for it. */
export type StepCheckpoints = {
  /** Calls are about to be made: from now on the files are no longer what the last ones left. */
  callsBegin(): void;
  /** Calls have ended: what they left is wanted. */
  callsEnded(): void;
  /** Takes no more; resolves when the one under way is done with. */
  close(): Promise<void>;
};

type Wanted = { readonly epoch: number; readonly asOf: number };
type StepEvent = EventOf<"workspace.checkpointed">;

/** A run that is over by then has its own checkpoint. */
const FIRST_AFTER_MS = 1000;
const BETWEEN_MS = 1000;
/** A large workspace takes longer: its checkpoints take no more than a fifth of the time. */
const REST_FOR_EACH_MS = 4;
const AFTER_FAILURE_MS = 60_000;
/** Each step would write so many changes to the log again; the checkpoint of the run tells more. */
const MAX_TOLD = 100;

/**
 * One at a time; while it is under way or its time has not come, only the newest wish is remembered, and one whose
 * files were changed by later calls is dropped. Nothing is written when nothing has changed. A failure is not told: the
 * checkpoint of the run tells it, if it is still there.
 */
export function stepCheckpoints(ports: RunPorts, leave: AbortSignal): StepCheckpoints {
  return new StepKeeper(ports, leave);
}

class StepKeeper implements StepCheckpoints {
  readonly #ports: RunPorts;
  readonly #leave: AbortSignal;
  readonly #closing = new AbortController();
  #epoch = 0;
  #wanted: Wanted | undefined;
  #working: Promise<void> | undefined;
  #notBefore: number;

  constructor(ports: RunPorts, leave: AbortSignal) {
    this.#ports = ports;
    this.#leave = leave;
    this.#notBefore = ports.clock.now() + FIRST_AFTER_MS;
  }

  callsBegin(): void {
    this.#epoch += 1;
  }

  callsEnded(): void {
    const { snapshots, journal } = this.#ports;
    if (snapshots === undefined || this.#closing.signal.aborted) return;
    this.#wanted = { epoch: this.#epoch, asOf: journal.state.head };
    this.#working ??= this.#work();
  }

  async close(): Promise<void> {
    this.#wanted = undefined;
    this.#closing.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { clock } = this.#ports;
    const ends = AbortSignal.any([this.#leave, this.#closing.signal]);
    while (this.#wanted !== undefined && !ends.aborted) {
      const waitMs = this.#notBefore - clock.now();
      if (waitMs > 0) await clock.sleep(waitMs, ends).catch(() => undefined);
      const wanted = this.#wanted;
      this.#wanted = undefined;
      if (wanted?.epoch === this.#epoch && !ends.aborted) await this.#timed(wanted);
    }
    // Without a wait after the loop's last look, so that no wish falls between.
    this.#working = undefined;
  }

  async #timed(wanted: Wanted): Promise<void> {
    const { clock } = this.#ports;
    const startedAt = clock.now();
    try {
      await this.#keep(wanted);
      this.#notBefore = startedAt + Math.max(BETWEEN_MS, (clock.now() - startedAt) * (1 + REST_FOR_EACH_MS));
    } catch (thrown) {
      if (toAppError(thrown).code === "internal" && !this.#leave.aborted) this.#ports.onUnforeseen(thrown);
      this.#notBefore = clock.now() + AFTER_FAILURE_MS;
    }
  }

  async #keep(wanted: Wanted): Promise<void> {
    const { journal, snapshots } = this.#ports;
    const { latest } = journal.state.snapshots;
    const event = await limited(this.#ports, this.#leave, SNAPSHOT_PATIENCE_MS, (signal) =>
      this.#event(wanted, signal),
    );
    if (event === undefined) return;
    const stored = await journal.commit((state) => {
      // What was kept or restored meanwhile is later than this.
      const overtaken = state.snapshots.lost || state.snapshots.latest?.checkpointId !== latest?.checkpointId;
      return overtaken ? [] : [event];
    });
    if (stored.length === 0) await snapshots?.forgetStep(journal.state, event.checkpointId);
  }

  /** Undefined when nothing has changed, or later calls began before the files were looked at. */
  async #event({ epoch, asOf }: Wanted, signal: AbortSignal): Promise<StepEvent | undefined> {
    const { journal, snapshots, newId } = this.#ports;
    if (snapshots === undefined || journal.state.liveSandbox === null) return undefined;
    const sandbox = await this.#ports.sandbox(signal);
    const checkpointId = newId("p");
    let compared: Partial<OperationResult<"workspace.changes">> = {};
    const compare = async () => {
      compared = await sandbox.call("workspace.changes", {}, { signal }).catch(() => ({}));
    };
    // What is told of the files and what is kept of them are of one moment: calls may begin while it is stored.
    const step = { checkpointId, asOf, isStill: () => this.#epoch === epoch, compare };
    const snapshot = await snapshots.keepStep(journal.state, sandbox, step, signal);
    if (snapshot === undefined) return undefined;
    const { tree = "", changes } = compared;
    return { type: "workspace.checkpointed", checkpointId, tree, ...told(changes), snapshot };
  }
}

function told(changes: StepEvent["changes"]): Pick<StepEvent, "changes" | "counts"> {
  if (changes === undefined) return {};
  return changes.length > MAX_TOLD ? { counts: countChanges(changes) } : { changes };
}
