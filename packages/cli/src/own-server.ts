import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import { runningServer, type ServerFile } from "./running-server.ts";

export type OwnServer = { readonly server: ServerFile; stop(): Promise<void> };

export type OwnServerStart = {
  readonly home: string;
  readonly signal: AbortSignal;
  /** Further options of the server's command line. */
  readonly options: readonly string[];
};

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;
const MAIN = path.join(import.meta.dirname, "../../server/src/main.ts");

/**
 * Starts a server on this state directory, at a free port of 127.0.0.1, for one command. It has a process group of its
 * own, so that Ctrl-C reaches only the command, which then stops the run in order. The caller stops it.
 * @throws AppError `server_unreachable`, with what the server said; the signal's reason
 */
export async function startOwnServer({ home, signal, options }: OwnServerStart): Promise<OwnServer> {
  const args = [MAIN, "--home", home, "--host", "127.0.0.1", "--port", "0", "--log-level", "warn", ...options];
  // The channel ends with this process, and then the server does: also where nothing here can stop it any more.
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe", "ipc"], detached: true });
  child.channel?.unref();
  // A command that ends at once leaves no server behind.
  const onExit = () => child.kill("SIGTERM");
  process.once("exit", onExit);
  const stopThis = () => stop(child).finally(() => process.off("exit", onExit));
  try {
    return { server: await ready(home, child, signal), stop: stopThis };
  } catch (thrown) {
    await stopThis();
    throw thrown;
  }
}

async function ready(home: string, child: ChildProcess, signal: AbortSignal): Promise<ServerFile> {
  const said = lastLines(child);
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const server = await runningServer(home);
    if (server !== undefined && server.pid === child.pid) return server;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new AppError("server_unreachable", `Handrail's server did not start. It said:\n${said()}`);
    }
    await delay(50);
  }
  throw new AppError("server_unreachable", `Handrail's server was not ready within a minute. It said:\n${said()}`);
}

/** Keeps the last 4 kB of what the server says on stderr. */
function lastLines(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (piece: string) => (text = (text + piece).slice(-4096)));
  return () => (text.trim() === "" ? "nothing" : text.trim());
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await Promise.race([ended, delay(STOP_WITHIN_MS, undefined, { ref: false })]);
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
}
