import type { Pass } from "./passes.ts";

/** Connections to previews, each of which lasts no longer than what gave its pass. */
export type OpenVisits = {
  /** Calls `end` once the pass no longer stands. Call the result when the connection is over. */
  add(pass: Pass, end: () => void): () => void;
  close(): void;
};

export type OpenVisitsParts = {
  readonly admits: (pass: Pass) => Promise<boolean>;
  /** How often each is looked at. */
  readonly lookMs: number;
};

/** A WebSocket or a stream may go on for days: a share that was ended, or a session, ends them too. */
export function openVisits({ admits, lookMs }: OpenVisitsParts): OpenVisits {
  const open = new Map<() => void, Pass>();
  let looking = false;
  const look = async () => {
    for (const [end, pass] of open) {
      if (pass.expiresAt <= Date.now() || !(await admits(pass).catch(() => false))) end();
    }
  };
  const looked = () => {
    looking = false;
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look().then(looked, looked);
  }, lookMs).unref();
  return {
    add(pass, end) {
      const entry = () => end();
      open.set(entry, pass);
      return () => void open.delete(entry);
    },
    close: () => clearInterval(timer),
  };
}
