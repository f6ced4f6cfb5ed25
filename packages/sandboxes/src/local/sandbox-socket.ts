import { chown, mkdir, open } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Duplex } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { listenForSandbox } from "../link/listen-for-sandbox.ts";

/** The socket that one sandbox dials, in a directory of its own. */
export type SandboxSocket = {
  readonly path: string;
  /** The next connection. @throws AppError `sandbox_failed` when none comes for 2 s; the signal's reason */
  next(signal: AbortSignal): Promise<Duplex>;
  /** Stops listening. The directory stays: what runs in the sandbox has it mounted. */
  close(): Promise<void>;
};

export type Dialler = { readonly uid?: number; readonly token?: string };

/** sandboxd dials at least once a second. */
const DIAL_MS = 2_000;

/**
 * Listens in `directory`; `uid` is the user of the host whose programs may connect, if not this process's, and `token`
 * what they have to say, if anything.
 */
export async function sandboxSocket(directory: string, { uid, token }: Dialler): Promise<SandboxSocket> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  // The path of a socket is at most 107 bytes; by way of the open directory it is short wherever that is.
  const handle = await open(directory, "r");
  try {
    const listener = await listenForSandbox(`/proc/self/fd/${handle.fd}`, token);
    const path = join(directory, basename(listener.path));
    if (uid !== undefined) await chown(path, uid, uid);
    return {
      path,
      next: (signal) => soon(listener.connect, signal),
      close: async () => {
        await listener.close();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function soon(next: (signal: AbortSignal) => Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  const late = new AppError("sandbox_failed", "The program in the sandbox did not connect.");
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(late), DIAL_MS);
  try {
    return await next(AbortSignal.any([signal, timeout.signal]));
  } finally {
    clearTimeout(timer);
  }
}
