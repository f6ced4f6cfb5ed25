import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@handrail/client/create-client";
import { unmountBelow } from "@handrail/sandboxes/testing/end-daemon";
import { freePort } from "@handrail/sandboxes/testing/free-port";
import { forgetServer } from "./installation-of.ts";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** A started Handrail server, as its user starts it, with a state directory of its own. */
export type TestServer = {
  readonly home: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The page's address with a one-time token. */
  readonly signInUrl: string;
  readonly client: Client;
  readonly token: string;
  readonly pid: number;
  /** What it wrote to stderr so far. */
  log(): string;
  /** Kills it as a crash would. Its sandboxes go on. */
  crash(): Promise<void>;
  /** Starts it again over the same state, on the same port. */
  restart(): Promise<TestServer>;
  /** Ends it and removes its state. Conversations' sandboxes are deleted first. */
  dispose(): Promise<void>;
};

export type ServerOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly home?: string;
  /** Default: one that nobody takes while the server is away between its end and its next start. */
  readonly port?: number;
  /** Start what `npm start` runs, with its checks and builds, instead of the server alone. */
  readonly npmStart?: boolean;
  /** Start it by this program and its arguments, which it ends with: `crash` is the only way to end it. */
  readonly within?: readonly [string, ...string[]];
};

const START_MS = 120_000;

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const home = options.home ?? (await mkdtemp(path.join(tmpdir(), "handrail-e2e-")));
  const port = options.port ?? (await freePort());
  const program = options.npmStart === true ? "scripts/start.mjs" : "packages/server/src/main.ts";
  const [command, ...args] = [...(options.within ?? []), process.execPath, program];
  const child = spawn(command ?? "", args, {
    cwd: ROOT,
    env: { ...clean(), HANDRAIL_HOME: home, PORT: String(port), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (bytes: Buffer) => (log = (log + bytes.toString()).slice(-200_000)));
  const signInUrl = await readyLine(child, () => log);
  const { url, token } = JSON.parse(await readFile(path.join(home, "server.json"), "utf8")) as Record<string, string>;
  if (url === undefined || token === undefined) throw new Error("server.json names no url or token");
  const client = createClient({ baseUrl: url, token });
  return {
    home,
    url,
    signInUrl,
    client,
    token,
    pid: child.pid ?? 0,
    log: () => log,
    crash: () => ended(child, "SIGKILL"),
    restart: () => startServer({ ...options, home, port }),
    async dispose() {
      await removeConversations(client).catch(() => undefined);
      await ended(child, options.within === undefined ? "SIGTERM" : "SIGKILL");
      await forgetServer(home);
      // Left by one that ended while it found out what disks can do here; another on its state would take it away.
      await unmountBelow(home);
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** Only what a user's shell would have: no setting of this machine leaks into the server under test. */
function clean(): Record<string, string> {
  const names = ["PATH", "HOME", "TMPDIR", "LANG", "DOCKER_HOST", "HANDRAIL_CACHE"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function readyLine(child: ChildProcess, log: () => string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`The server did not start:\n${log()}`)), START_MS);
  let text = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    text += bytes.toString();
    const found = /https?:\/\/\S+token=\S+/.exec(text);
    if (found !== null) resolve(found[0]);
  });
  child.once("exit", (code) => reject(new Error(`The server ended with ${code}:\n${log()}\n${text}`)));
  return promise.finally(() => clearTimeout(timer));
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill(signal);
  return promise;
}

async function removeConversations(client: Client): Promise<void> {
  for (const archived of ["true", "false"] as const) {
    const { conversations } = await client.conversations({ query: { archived, limit: 200 } });
    for (const { id } of conversations) await client.deleteConversation({ params: { id } });
  }
}
