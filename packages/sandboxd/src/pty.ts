import { setTimeout as sleep } from "node:timers/promises";
import { ownChild } from "./children.ts";

/** A program on a pseudo-terminal of its own, leader of its own session. */
export type Pty = {
  readonly pid: number;
  write(bytes: Uint8Array): void;
  resize(columns: number, rows: number): void;
  /** Settles once the program is over and all of its output has been given to `onData`. Never rejects. */
  readonly ended: Promise<void>;
};

export type PtyOptions = {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** The bytes are only good until the callback returns. */
  readonly onData: (bytes: Uint8Array) => void;
};

const QUIET_MS = 10;
const DRAIN_MS = 500;

/** Starts a program on a new pseudo-terminal. The only file that knows Bun. */
export function openPty(options: PtyOptions): Pty {
  const line = { hungUp: false, lastDataAt: 0 };
  const terminal = new Bun.Terminal({
    cols: options.columns,
    rows: options.rows,
    name: "xterm-256color",
    data: (_terminal, bytes) => {
      line.lastDataAt = performance.now();
      options.onData(bytes);
    },
    exit: () => {
      line.hungUp = true;
    },
  });
  // Detached makes it the leader of a session whose terminal this is; without, the shell has no job control.
  const program = Bun.spawn([...options.argv], {
    terminal,
    detached: true,
    cwd: options.cwd,
    env: { ...options.env },
  });
  const over = ownChild(program.pid);
  return {
    pid: program.pid,
    write: (bytes) => {
      if (!line.hungUp) terminal.write(bytes);
    },
    resize: (columns, rows) => {
      if (!line.hungUp) terminal.resize(columns, rows);
    },
    ended: program.exited.then(async () => {
      over();
      const deadline = performance.now() + DRAIN_MS;
      do await sleep(QUIET_MS);
      while (!line.hungUp && performance.now() - line.lastDataAt < QUIET_MS && performance.now() < deadline);
      if (!line.hungUp) terminal.close();
    }),
  };
}
