import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@handrail/client/create-client";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PRELOAD = fileURLToPath(new URL("gc-on-signal.ts", import.meta.url));
const START_MS = 30_000;

/** A Handrail server as its user starts it, over a state directory of its own. */
export type ServerProcess = {
  readonly url: string;
  readonly signInUrl: string;
  readonly token: string;
  readonly client: Client;
  /** From the start of the program to its ready line. */
  readonly readyMs: number;
  /** Resident memory now, in bytes. */
  residentBytes(): Promise<number>;
  /** Memory use after a garbage collection, in bytes. */
  memoryAfterGc(): Promise<{ readonly rss: number; readonly heapUsed: number; readonly external: number }>;
  /** Ends it with SIGTERM. */
  stop(): Promise<void>;
};

export type ServerOptions = {
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Makes `memoryAfterGc` work; false leaves the program exactly as its user starts it. */
  readonly askable?: boolean;
};

/** Starts a server on a free port. */
export async function startServerProcess({ home, env = {}, askable = false }: ServerOptions): Promise<ServerProcess> {
  const memoryFile = join(home, "bench-memory.json");
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [...(askable ? ["--expose-gc", "--import", PRELOAD] : []), "packages/server/src/main.ts"],
    {
      cwd: ROOT,
      env: { ...ownEnvironment(), HANDRAIL_HOME: home, PORT: "0", BENCH_MEMORY_FILE: memoryFile, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const signInUrl = await readyLine(child);
  const readyMs = performance.now() - started;
  child.stdout.resume();
  const { url, token } = JSON.parse(await readFile(join(home, "server.json"), "utf8")) as Record<
    "url" | "token",
    string
  >;
  return {
    url,
    signInUrl,
    token,
    client: createClient({ baseUrl: url, token }),
    readyMs,
    residentBytes: () => residentBytes(child.pid ?? 0),
    memoryAfterGc: () => memoryAfterGc(child, memoryFile),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Resident memory of a process, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** No setting of the user's leaks into the measured server. */
function ownEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "TMPDIR", "LANG", "DOCKER_HOST", "HANDRAIL_CACHE"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function readyLine(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error("the server did not start in time")), START_MS);
  let text = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    text = (text + bytes.toString()).slice(-10_000);
    const found = /https?:\/\/\S+token=\S+/.exec(text);
    if (found !== null) resolve(found[0]);
  });
  child.stderr?.on("data", (bytes: Buffer) => (text = (text + bytes.toString()).slice(-10_000)));
  child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${text.trim().split("\n").at(-1)}`)));
  return promise.finally(() => clearTimeout(timer));
}

async function memoryAfterGc(child: ChildProcess, file: string) {
  await rm(file, { force: true });
  child.kill("SIGUSR2");
  for (let tries = 0; tries < 200; tries++) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text.endsWith("}")) return JSON.parse(text) as { rss: number; heapUsed: number; external: number };
    await sleep(25);
  }
  throw new Error("the server did not report its memory");
}

/** What starts a conversation for measuring: no files, no network, no model needed until something is said. */
export const EMPTY_CONVERSATION = {
  source: { type: "empty" },
  sandbox: { backend: "process", network: { type: "none" } },
} as const;

/** Makes a server use the model at `baseUrl`, at no price and without a limit that a bench could meet. */
export const modelEnvironment = (baseUrl: string): Readonly<Record<string, string>> => ({
  LLM_BASE_URL: baseUrl,
  LLM_API_KEY: "bench",
  LLM_MODEL: "bench",
});
