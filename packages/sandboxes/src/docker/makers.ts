import { processName, isLiving } from "../process-name.ts";
import { LABEL } from "./docker-names.ts";
import type { Listed } from "./docker-shapes.ts";

const HOUR_MS = 3_600_000;
/**
 * How long something is taken for what its maker still works with. Nothing takes so long: it is for makers that did not
 * get to remove it while the daemon was away, for those that cannot be told from here to live, and for what has ended.
 */
const WORK_MS = { living: 24 * HOUR_MS, otherwise: HOUR_MS } as const;

/** The label of what a process makes for the time of some work. Whoever finds it can tell whether that goes on. */
export const madeHere = (): Readonly<Record<string, string>> => ({ [LABEL.maker]: processName() });

/** Whether the process that made it may still be at work with it. */
export function isAtWork({ labels, state, createdAtMs }: Made, nowMs: number): boolean {
  const living = isLiving(labels[LABEL.maker] ?? "");
  if (living === false) return false;
  const most = living === true && !hasEnded(state) ? WORK_MS.living : WORK_MS.otherwise;
  return nowMs - createdAtMs < most;
}

type Made = Pick<Listed, "labels" | "state" | "createdAtMs">;

/** Whether a container's program has come to its end. */
export const hasEnded = (state: string): boolean => state === "exited" || state === "dead";
