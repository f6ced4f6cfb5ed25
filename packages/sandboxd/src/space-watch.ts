import { AppError } from "@handrail/protocol/errors";
import type { OperationName } from "@handrail/protocol/sandboxd/operations";
import type { CallContext, Handlers } from "./handlers.ts";
import { FILE_BYTES, type SharedSpace } from "./shared-space.ts";

const MIB = 1024 ** 2;
/** By how much more space has to go before programs are ended again: those that make room take some. */
const STEP_BYTES = 16 * MIB;
/** In this time programs take at most what is to stay free, roughly. */
const FASTEST_MS = 20;
const SOONEST_MS = 10;
const LATEST_MS = 5_000;

/** Operations in which programs run; `later`: which tell of programs that ran before, too. */
const RUNNING: ReadonlyMap<OperationName, { readonly later: boolean }> = new Map([
  ["process.run", { later: false }],
  ["terminal.run", { later: false }],
  ["terminal.wait", { later: true }],
  ["terminal.send", { later: true }],
] as const);

export type SpaceWatch = SharedSpace & {
  /** Ends all programs of the sandbox. */
  readonly endPrograms: () => void;
  /** Ends the sandbox itself, with what there is to say of it. */
  readonly leave: (why: string) => void;
};

/**
 * Keeps a sandbox whose workspace has no bound from filling the file system that it shares with others. Below `bytes` its
 * programs are ended, each time that more has gone; below half of that the sandbox is. It looks the sooner, the less is
 * free. `watch` gives handlers whose calls fail with `disk_full` where programs were ended under them.
 */
export function spaceWatch({ bytes, free, endPrograms, leave }: SpaceWatch) {
  /** Programs are ended when less is free. */
  let mark = bytes;
  let times = 0;
  let untold = false;
  const look = (): void => {
    const now = free();
    setTimeout(look, Math.min(LATEST_MS, Math.max(SOONEST_MS, (now / bytes - 1) * FASTEST_MS))).unref();
    if (now < bytes / 2) return leave(nearlyFull(bytes / 2, "The sandbox was ended."));
    const isLess = now < mark;
    mark = Math.min(bytes, isLess ? now - STEP_BYTES : Math.max(mark, now - STEP_BYTES));
    if (!isLess) return;
    times++;
    untold = true;
    endPrograms();
  };
  look();
  const told = (run: Run, later: boolean): Run => {
    return async (args, call) => {
      const before = times;
      const result = await run(args, call);
      if (times === before && !(later && untold)) return result;
      untold = false;
      const advice = "What ran in the sandbox was ended. Remove files that are not needed before you go on.";
      throw new AppError("disk_full", nearlyFull(bytes, advice));
    };
  };
  return {
    watch: (handlers: Handlers): Handlers => {
      const watched = Object.entries(handlers).map(([name, handler]) => {
        const running = RUNNING.get(name as OperationName);
        return [name, running === undefined ? handler : told(handler as Run, running.later)] as const;
      });
      return Object.fromEntries(watched) as Handlers;
    },
  };
}

type Run = (args: unknown, call: CallContext) => Promise<unknown>;

function nearlyFull(bytes: number, what: string): string {
  return `The disk that the workspace is on is nearly full: less than ${bytes / MIB} MiB or ${bytes / FILE_BYTES} files are free for all that is on it. ${what}`;
}
