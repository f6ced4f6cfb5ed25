import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@handrail/sandboxes/testing/free-port";
import { callOnce, type Target } from "./gateway-client.ts";
import { residentBytes } from "./server-process.ts";

/** How a gateway is started. A slow one is given fewer calls. */
export type GatewayCommand = {
  readonly name: string;
  readonly slow?: boolean;
  readonly headers: Readonly<Record<string, string>>;
  program(port: number): {
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
};

/** One that runs and has answered a call. */
export type GatewayProcess = Target & {
  readonly name: string;
  readonly slow: boolean;
  /** From the start of the program to the end of its first answer. */
  readonly startMs: number;
  residentBytes(): Promise<number>;
  /** What the program has used of the processors, in milliseconds. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
};

const START_MS = 120_000;
const STOP_MS = 10_000;
const TICK_MS = 10;

/** Starts it on a free port of loopback, with a closed network, and waits until it answers a call. */
export async function startGateway(starting: GatewayCommand, home: string): Promise<GatewayProcess> {
  const port = await freePort();
  const { command, args, env } = starting.program(port);
  const before = performance.now();
  const child = spawn(command, args, {
    cwd: home,
    env: { ...closedEnvironment(home), PORT: String(port), ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)));
  child.on("error", (error) => (said = error.message));
  const target = { port, headers: starting.headers };
  await answers(child, target, () => said);
  const pid = child.pid ?? 0;
  return {
    ...target,
    name: starting.name,
    slow: starting.slow === true,
    startMs: performance.now() - before,
    residentBytes: () => residentBytes(pid),
    cpuMs: () => cpuMs(pid),
    stop: () => stop(child),
  };
}

async function answers(child: ChildProcess, target: Target, said: () => string): Promise<void> {
  const agent = new Agent();
  const until = performance.now() + START_MS;
  let problem: unknown;
  while (performance.now() < until && child.exitCode === null && child.pid !== undefined) {
    try {
      await callOnce(target, "json", agent);
      return;
    } catch (thrown) {
      problem = thrown;
    }
    await sleep(5);
  }
  await stop(child);
  throw new Error(`it did not answer: ${said().trim().split("\n").at(-1) || String(problem)}`);
}

/** In order first: a program that keeps its compiled code writes it as it ends. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** User and system time are the 14th and 15th field; the second is a name in brackets. */
async function cpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Nothing of the user's own settings, and no way to the network but loopback. */
function closedEnvironment(home: string): Record<string, string> {
  const closed = "http://127.0.0.1:9";
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    HTTP_PROXY: closed,
    HTTPS_PROXY: closed,
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
  };
}
