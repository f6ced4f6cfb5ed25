import { constants, open } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { DISK_FULL_EXIT } from "@handrail/protocol/sandboxd/exits";
import type { Launched } from "./local-backend.ts";
import { spawnWhole } from "../spawn-whole.ts";

/** The file in the state directory that takes what sandboxd prints. */
export const SANDBOXD_LOG = "sandboxd.log";

/** Runs a command with its output in a file: `sh -c REDIRECT file command…`. */
export const REDIRECT = 'exec "$@" >"$0" 2>&1';

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const MAX_SAID = 4000;

export type Spawning = {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The end of what sandboxd wrote, read when it has ended. */
  readonly log: () => Promise<string>;
  /** Makes an error of the last words of what was started and of sandboxd. */
  readonly explain: (said: string) => Promise<AppError>;
};

/** Starts a command that outlives this process, in a session of its own and with none of its environment. */
export function spawnDetached(spawning: Spawning): Launched {
  const [program = "", ...args] = spawning.command;
  const child = spawnWhole(program, args, {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH, ...spawning.environment },
    cwd: spawning.cwd ?? "/",
  });
  child.unref();
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-MAX_SAID)));
  child.stderr.on("error", () => child.stderr.destroy());
  const failed = new Promise<AppError>((resolve) => {
    child.on("error", (cause) => resolve(new AppError("sandbox_failed", `${program} cannot be run.`, {}, { cause })));
    child.on("exit", (code) => resolve(lastWords(said, spawning, code)));
  });
  return { failed, release: () => child.stderr.destroy() };
}

async function lastWords(said: string, { log, explain }: Spawning, code: number | null): Promise<AppError> {
  const all = `${said}${(await log()).slice(-MAX_SAID)}`;
  return code === DISK_FULL_EXIT ? new AppError("disk_full", all.trim().split("\n").at(-1) ?? "") : explain(all);
}

/** The end of sandboxd's log in a state directory of the host. A sandbox may have swapped the file for anything. */
export async function sandboxdLog(state: string): Promise<string> {
  const path = join(state, SANDBOXD_LOG);
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_SAID), 0, MAX_SAID, Math.max(0, size - MAX_SAID));
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
