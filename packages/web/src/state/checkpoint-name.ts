import type { CheckpointReason, CheckpointRow } from "@handrail/protocol/checkpoints";
import { formatExact } from "./format.ts";

/** When a checkpoint was made, in words. */
export const CHECKPOINT_REASONS: Readonly<Record<CheckpointReason, string>> = {
  start: "At the start",
  step: "After a step",
  run: "After a run",
  user: "Kept by you",
  restore: "Before going back",
};

/** What tells a checkpoint from others, in one line: `After a run · 1 Dec 2026, 11:43:49 · event 79`. */
export const checkpointName = ({ reason, at, asOf }: Pick<CheckpointRow, "reason" | "at" | "asOf">): string =>
  `${CHECKPOINT_REASONS[reason]} · ${formatExact(at)} · event ${asOf}`;
