import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoredEvent } from "@handrail/protocol/events";
import type { BackendName } from "@handrail/protocol/sources";
import { withDirectory } from "../parts/free-directory.ts";
import { makeNpmRepository } from "../parts/npm-repository.ts";
import { startOwnContainerd } from "../parts/own-containerd.ts";
import { runProgram } from "../parts/run-program.ts";
import { modelEnvironment, type ServerProcess, startServerProcess } from "../parts/server-process.ts";
import { type Group, measureAll, type Row } from "../row.ts";
import { median, repeat } from "../samples.ts";

const TIMES = { times: 3, warmUp: 1 };
const BACKENDS = ["process", "docker", "containerd"] as const;
const PATIENCE_MS = 300_000;

/** What a set-up costs the first conversation on a repository, and the second one, which has its result. */
export const setup: Group = {
  name: "setup",
  measures: "a repository whose set-up is a real npm ci: the first conversation on it, and the next one",
  run: () =>
    withDirectory(async (home) => {
      const repository = join(home, "repository");
      const files = await makeNpmRepository(repository);
      return measureAll(
        BACKENDS.map((name) => ({
          name: rowName(name),
          unit: "ms",
          rows: () => rowsOf(name, home, { repository, files }),
        })),
      );
    }),
};

const rowName = (name: BackendName) => `new conversation whose npm ci was done before, ${name}`;

type Repository = { readonly repository: string; readonly files: number };

async function rowsOf(name: BackendName, home: string, { repository, files }: Repository): Promise<readonly Row[]> {
  const state = join(home, name);
  const daemon =
    name === "containerd" ? await startOwnContainerd(await made(join(home, "containerd-home"))) : undefined;
  const env = {
    ...modelEnvironment("http://127.0.0.1:9/v1"),
    HANDRAIL_SANDBOX: name,
    HANDRAIL_SANDBOX_WARM: "0",
    ...(daemon === undefined ? {} : { CONTAINERD_ADDRESS: daemon.address }),
  };
  const server = await startServerProcess({ home: await made(state), env });
  try {
    let copies = 0;
    const rounds = await repeat(TIMES, async () => {
      // Results are kept by the repository's path.
      const path = join(home, `${name}-${copies++}`);
      await cp(repository, path, { recursive: true });
      const first = await setUp(server, name, path);
      const second = await setUp(server, name, path);
      if (first.outcome !== "ok" || second.outcome !== "reused") throw new Error(`${first.outcome}, ${second.outcome}`);
      return { first: first.ms, second: second.ms, ran: first.ranMs, host: await onHost(path) };
    });
    return [
      {
        name: rowName(name),
        unit: "ms",
        p50: median(rounds.map(({ second }) => second)),
        beside: [
          { name: "the first one, which runs it", p50: median(rounds.map(({ first }) => first)) },
          { name: "its npm ci alone", p50: median(rounds.map(({ ran }) => ran)) },
          { name: "npm ci on the host", p50: median(rounds.map(({ host }) => host)) },
        ],
        note: `from the request to files that are set up, a new sandbox included; ${files} files are installed`,
      },
    ];
  } finally {
    await removeAll(server);
    await server.stop();
    await daemon?.dispose();
  }
}

type SetUp = { readonly outcome: string; readonly ranMs: number; readonly ms: number };

/** A new conversation on a repository of this machine, until its set-up is over. */
async function setUp({ client }: ServerProcess, backend: BackendName, path: string): Promise<SetUp> {
  const before = performance.now();
  const { id } = await client.createConversation({
    body: {
      source: { type: "folder", path },
      sandbox: { backend, network: { type: "none" } },
      content: [{ type: "text", text: "Nobody answers." }],
    },
  });
  const until = before + PATIENCE_MS;
  while (performance.now() < until) {
    const { events } = await client.events({ params: { id }, query: { after: -1, limit: 100 } });
    const ended = endedIn(events);
    if (ended !== undefined) return { ...ended, ms: performance.now() - before };
    const failed = events.find(({ event }) => event.type === "run.ended");
    if (failed !== undefined) throw new Error(JSON.stringify(failed.event).slice(0, 200));
    await sleep(10);
  }
  throw new Error("the set-up is not over after five minutes");
}

function endedIn(events: readonly StoredEvent[]): Omit<SetUp, "ms"> | undefined {
  for (const { event } of events)
    if (event.type === "setup.ended") return { outcome: event.outcome, ranMs: event.durationMs };
  return undefined;
}

async function onHost(path: string): Promise<number> {
  const { code, ms, output } = await runProgram("sh", ["-c", `cd "$0" && sh .handrail/setup.sh`, path], {
    timeoutMs: PATIENCE_MS,
  });
  if (code !== 0) throw new Error(`npm ci: ${output.trim().slice(-300)}`);
  return ms;
}

async function removeAll({ client }: ServerProcess): Promise<void> {
  const { conversations } = await client.conversations({ query: { archived: "false", limit: 200 } });
  for (const { id } of conversations) await client.deleteConversation({ params: { id } });
}

async function made(directory: string): Promise<string> {
  await mkdir(directory);
  return directory;
}
