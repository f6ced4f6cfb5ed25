import { processName, isLiving } from "../process-name.ts";
import type { Listed } from "./listed.ts";

const HOUR_MS = 3_600_000;
/**
 * How long something is taken for what its maker still works with. Nothing takes so long: it is for makers that did not
 * get to remove it while the daemon was away, for those that cannot be told from here to live, and for what has ended.
 */
const WORK_MS = { living: 24 * HOUR_MS, otherwise: HOUR_MS } as const;

/** A lock that only one process can hold, and that ends with it wherever that ran. */
export type HeldLock = {
  /** Which lock it is: no other has that name, not even one that was copied from it. */
  readonly lock: string;
  /** New each time that somebody takes it. */
  readonly holding: string;
};

/** This process among those that make things for the time of some work. */
export type Makers = {
  /** This process, by a name from which others can tell whether it lives. */
  readonly own: string;
  /** Whether the maker of that name lives; undefined: it cannot be told from here. */
  isLiving(name: string): boolean | undefined;
};

/** Makers that are told by a lock which this process holds: who made something by the same one before has ended. */
export function lockedMakers({ lock, holding }: HeldLock): Makers {
  const own = `${lock}#${holding}`;
  return {
    own,
    isLiving: (name) => (name.startsWith(`${lock}#`) ? name === own : isLiving(name)),
  };
}

/** Makers that are told by their processes, which only those can see that have the same process ids. */
export function processMakers(): Makers {
  return { own: processName(), isLiving };
}

/** Whether who made it may still be at work with it. */
export function isAtWork(
  makers: Pick<Makers, "isLiving">,
  { maker, state, createdAtMs }: Made,
  nowMs: number,
): boolean {
  const living = makers.isLiving(maker ?? "");
  if (living === false) return false;
  const most = living === true && !hasEnded(state) ? WORK_MS.living : WORK_MS.otherwise;
  return nowMs - createdAtMs < most;
}

type Made = Pick<Listed, "state" | "createdAtMs"> & { readonly maker: string | undefined };

/** Whether a container's program has come to its end. */
export const hasEnded = (state: string): boolean => state === "exited" || state === "dead";
