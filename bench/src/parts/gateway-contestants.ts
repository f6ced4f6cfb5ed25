import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openSqliteBooks } from "@handrail/gateway/books/open-sqlite-books";
import type { BookLimits } from "@handrail/gateway/ports/limits";
import { freePort } from "@handrail/sandboxes/testing/free-port";
import { withDirectory } from "./free-directory.ts";
import { litellm, portkey } from "./gateway-peers.ts";
import { type GatewayCommand, type GatewayProcess, startGateway } from "./gateway-process.ts";

/** Every kind of limit, each too high to be met. */
const LIMITS: BookLimits = {
  budget: { usd: 1_000_000, period: "month" },
  requestsPerMinute: 10_000_000,
  tokensPerMinute: 1_000_000_000_000,
  parallel: 1000,
};
const GATEWAY = fileURLToPath(new URL("../../../packages/gateway/bin/gateway.mjs", import.meta.url));
const part = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** All that run side by side. `skipped` says of each that could not, why. */
export type Contestants = {
  readonly direct: { readonly port: number; readonly headers: Readonly<Record<string, string>> };
  readonly hop: GatewayProcess;
  readonly own: GatewayProcess;
  readonly peers: readonly GatewayProcess[];
  readonly skipped: readonly string[];
};

/** Starts the upstream, and everything that is compared in front of it; ends all of it afterwards. */
export function withContestants<Result>(work: (contestants: Contestants) => Promise<Result>): Promise<Result> {
  return withDirectory(async (home) => {
    const port = await freePort();
    const upstream = spawn(process.execPath, [part("gateway-upstream.ts")], {
      env: { PORT: String(port) },
      stdio: "ignore",
    });
    const running: GatewayProcess[] = [];
    const start = async (command: GatewayCommand) => {
      const started = await startGateway(command, home);
      running.push(started);
      return started;
    };
    try {
      await listens(port);
      const direct = { port, headers: {} };
      const hop = await start(hopCommand(port));
      await (await startGateway(await ownCommand(port, home), home)).stop();
      const own = await start(await ownCommand(port, home));
      const { peers, skipped } = await startPeers([() => portkey(port), () => litellm(port, home)], start);
      return await work({ direct, hop, own, peers, skipped });
    } finally {
      await Promise.all(running.map((each) => each.stop()));
      const ended = once(upstream, "exit");
      upstream.kill("SIGKILL");
      await ended;
    }
  });
}

type Starter = (command: GatewayCommand) => Promise<GatewayProcess>;

/** A peer that cannot be had is left out, with its reason. */
async function startPeers(commands: readonly (() => Promise<GatewayCommand>)[], start: Starter) {
  const peers: GatewayProcess[] = [];
  const skipped: string[] = [];
  for (const command of commands) {
    try {
      peers.push(await start(await command()));
    } catch (thrown) {
      skipped.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  for (const reason of skipped) process.stderr.write(`A peer is left out: ${reason}\n`);
  return { peers, skipped };
}

/** A bare `node:http` hop: the least that a gateway in Node can add. */
export const hopCommand = (upstreamPort: number): GatewayCommand => ({
  name: "node:http hop",
  headers: {},
  program: () => ({
    command: process.execPath,
    args: [part("gateway-hop.ts")],
    env: { UPSTREAM_PORT: String(upstreamPort) },
  }),
});

/** Handrail's gateway as its user starts it, with a price and a key with every limit in its books below `home`. */
export async function ownCommand(upstreamPort: number, home: string): Promise<GatewayCommand> {
  const books = await openSqliteBooks({ file: join(home, "gateway.sqlite") });
  const { key } = await books.keys.create({ name: "bench", owner: { kind: "user", id: "bench" }, limits: LIMITS });
  await books.close();
  return {
    name: "handrail",
    headers: { authorization: `Bearer ${key}` },
    program: () => ({
      command: process.execPath,
      // As `handrail gateway` does.
      args: ["--max-semi-space-size=16", GATEWAY],
      env: {
        // Compiled code is kept there, as it is for a user from the second start on.
        HOME: homedir(),
        HANDRAIL_HOME: home,
        LLM_MODEL: "bench",
        LLM_BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
        LLM_API_KEY: "bench",
        LLM_INPUT_USD_PER_MILLION: "1",
        LLM_OUTPUT_USD_PER_MILLION: "2",
      },
    }),
  };
}

async function listens(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const socket = connect(port, "127.0.0.1");
    const found = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (found) return;
    await sleep(10);
  }
  throw new Error("the upstream did not start");
}
