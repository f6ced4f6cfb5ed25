import type { Delta } from "@handrail/protocol/deltas";
import type { IdPrefix } from "@handrail/protocol/ids";
import type { Journal } from "./journal.ts";
import type { Clock, Random } from "./ports/clock.ts";
import type { LogStore } from "./ports/log-store.ts";
import type { Model } from "./ports/model.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import type { Snapshots } from "./ports/snapshots.ts";

/** Everything the loop needs of the world. */
export type RunPorts = {
  readonly journal: Journal;
  readonly store: Pick<LogStore, "read" | "getBlob" | "putBlob">;
  /** The model with this id. @throws AppError `model_unset`, `model_unknown` */
  readonly model: (id: string) => Promise<Model>;
  /** The conversation's sandbox, found or started; writes `sandbox.started` and what goes before it to the log. */
  readonly sandbox: (signal: AbortSignal) => Promise<Sandbox>;
  /** Absent: the workspace's files are kept nowhere else. */
  readonly snapshots?: Snapshots;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: (prefix: IdPrefix) => string;
  /** Live fragments for whoever watches. Must not throw. */
  readonly emit: (delta: Delta) => void;
  /** Told what ended a run as `internal`: the log of events does not hold it. Must not throw. */
  readonly onUnforeseen: (thrown: unknown) => void;
};

/** `stop`: the user wants the run to end as `cancelled`. `leave`: this process goes; the run stays open in the log. */
export type RunSignals = { readonly stop: AbortSignal; readonly leave: AbortSignal };
