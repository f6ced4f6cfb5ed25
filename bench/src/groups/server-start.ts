import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { withDirectory } from "../parts/free-directory.ts";
import { residentBytes, startServerProcess } from "../parts/server-process.ts";
import type { Group } from "../row.ts";
import { median, percentile, repeat } from "../samples.ts";

const TIMES = { times: 7, warmUp: 1 };
const SETTLE_MS = 1000;
const MEGABYTE = 1024 ** 2;

/** From the command to the ready line, and memory a second later; beside the smallest HTTP server of the same Node. */
export const serverStart: Group = {
  name: "start",
  measures: "command to listening, and resident memory of the server",
  async run() {
    const ours = await repeat(TIMES, () => withDirectory(startOurs));
    const floor = await repeat(TIMES, startHello);
    const ms = ours.map((each) => each.ms);
    return [
      {
        name: "server: command to listening",
        unit: "ms",
        p50: median(ms),
        p99: percentile(ms, 1),
        target: { p50AtMost: 600 },
        beside: [{ name: "node http server", p50: median(floor.map((each) => each.ms)) }],
        note: "the second figure is the slowest of the repetitions; state directory is new each time",
      },
      {
        name: "server: resident memory",
        unit: "MB",
        p50: median(ours.map((each) => each.bytes)) / MEGABYTE,
        target: { p50AtMost: 120 },
        beside: [{ name: "node http server", p50: median(floor.map((each) => each.bytes)) / MEGABYTE }],
      },
    ];
  },
};

type Start = { readonly ms: number; readonly bytes: number };

async function startOurs(home: string): Promise<Start> {
  const server = await startServerProcess({ home });
  await sleep(SETTLE_MS);
  const bytes = await server.residentBytes();
  await server.stop();
  return { ms: server.readyMs, bytes };
}

const HELLO = `require("node:http").createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1", () => console.log("ready"))`;

async function startHello(): Promise<Start> {
  const started = performance.now();
  const child: ChildProcess = spawn(process.execPath, ["-e", HELLO], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("there is no output to read");
  await once(child.stdout, "data");
  const ms = performance.now() - started;
  await sleep(SETTLE_MS);
  const bytes = await residentBytes(child.pid ?? 0);
  const ended = once(child, "exit");
  child.kill();
  await ended;
  return { ms, bytes };
}
