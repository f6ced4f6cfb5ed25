import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BackendName } from "@handrail/protocol/sources";
import { firstExchange } from "../parts/first-exchange.ts";
import { withDirectory } from "../parts/free-directory.ts";
import { type Exchange, gapsOf, type MeteredModel, meteredModel, modelMs } from "../parts/metered-model.ts";
import { installPeers, type Peer, PEERS } from "../parts/peers.ts";
import { runProgram } from "../parts/run-program.ts";
import { modelEnvironment, type ServerProcess, startServerProcess } from "../parts/server-process.ts";
import { type Group, missing, type Row } from "../row.ts";
import { median, middleOf, repeat } from "../samples.ts";

const STEPS = 50;
const TIMES = { times: 5, warmUp: 1 };
const BACKENDS: readonly BackendName[] = ["none", "process", "docker"];

/** One task of 50 steps, as the model saw it. */
type Task = { readonly name: string; readonly runs: readonly Run[] };
type Run = { readonly wallMs: number; readonly exchanges: readonly Exchange[] };

/** Handrail's server and other coding agents drive the same model, each by its own means. */
export const peers: Group = {
  name: "peers",
  measures: "the base prompt, and 50 steps of `true` driven by the same model, beside opencode and pi",
  async run() {
    const model = await meteredModel(STEPS);
    try {
      const others: (Task | Row)[] = [];
      for (const peer of PEERS)
        others.push(await peerTask(peer, model).catch((thrown) => missing(peer.name, "ms", thrown)));
      const rows = rowsOf(
        await ourTasks(model),
        others.filter((each) => "runs" in each),
      );
      return [await promptRow(others), ...rows, ...others.filter((each) => "unit" in each)];
    } finally {
      await model.close();
    }
  },
};

/** A row for each of our backends, also for one that could not be measured: the peers' figures stay in sight. */
function rowsOf(ours: readonly (Task | Row)[], others: readonly Task[]): readonly Row[] {
  const beside = others.map((task) => ({ name: task.name, ...stepSpread(task) }));
  return ours.map((task) => {
    if ("unit" in task) return { ...task, beside };
    return {
      name: `step with its command, ${STEPS} steps, ${task.name}`,
      unit: "ms",
      ...stepSpread(task),
      beside,
      note: `from an answer's end to the next request; whole task without the model: ${wholeText([task, ...others])}`,
    };
  });
}

/** The first request of a conversation in an empty workspace, as the model received it. */
async function promptRow(others: readonly (Task | Row)[]): Promise<Row> {
  const first = await firstExchange();
  const measured = others.filter((each) => "runs" in each);
  return {
    name: "base prompt with all tools",
    unit: "bytes",
    p50: promptBytes(first),
    target: { p50AtMost: 8000 },
    beside: measured.map(({ name, runs }) => ({ name, p50: promptBytes(runs[0]?.exchanges[0]) })),
    note: `as the model received it: system text ${first?.systemBytes}, ${first?.tools.length} tools as JSON ${first?.toolsBytes}`,
  };
}

function promptBytes(exchange: Exchange | undefined): number {
  return exchange === undefined ? Number.NaN : exchange.systemBytes + exchange.toolsBytes;
}

const stepSpread = ({ runs }: Task) => middleOf(runs.map(({ exchanges }) => gapsOf(exchanges)));

/** Milliseconds a step of the whole task, from its start to its end, less the model's own time. */
function wholeText(tasks: readonly Task[]): string {
  const each = ({ runs }: Task) => median(runs.map((run) => (run.wallMs - modelMs(run.exchanges)) / STEPS));
  return tasks.map((task) => `${task.name} ${each(task).toFixed(1)} ms a step`).join(", ");
}

/** A peer's wall time is from the start of its program to its end. */
async function peerTask(peer: Peer, model: MeteredModel): Promise<Task> {
  await installPeers();
  const runs = await repeat(TIMES, () =>
    withDirectory(async (home) => {
      const { command, args, env } = await peer.prepare(home, model.baseUrl);
      const cwd = join(home, "work");
      await mkdir(cwd);
      model.reset();
      const ran = await runProgram(command, args, { cwd, env, timeoutMs: 120_000 });
      return checked({ wallMs: ran.ms, exchanges: model.exchanges() }, ran.output);
    }),
  );
  return { name: peer.name, runs };
}

/** Our wall time is from the request that makes the conversation to the end of its run: the server runs already. */
async function ourTasks(model: MeteredModel): Promise<readonly (Task | Row)[]> {
  return withDirectory(async (home) => {
    const env = { ...modelEnvironment(model.baseUrl), HANDRAIL_SANDBOX: "none" };
    const server = await startServerProcess({ home, env });
    try {
      const tasks: (Task | Row)[] = [];
      for (const backend of BACKENDS) {
        tasks.push(
          await ourTask(server, model, backend).catch((thrown) =>
            missing(`step with its command, server with ${backend} sandbox`, "ms", thrown),
          ),
        );
      }
      return tasks;
    } finally {
      await server.stop();
    }
  });
}

async function ourTask(server: ServerProcess, model: MeteredModel, backend: BackendName): Promise<Task> {
  const runs = await repeat(TIMES, async () => {
    model.reset();
    const started = performance.now();
    const id = await startTask(server, backend);
    const detail = await taskEnd(server, id);
    const run = { wallMs: performance.now() - started, exchanges: model.exchanges() };
    await server.client.deleteConversation({ params: { id } });
    return checked(run, detail);
  });
  return { name: `server with ${backend} sandbox`, runs };
}

async function startTask({ client }: ServerProcess, backend: BackendName): Promise<string> {
  const { id } = await client.createConversation({
    body: {
      source: { type: "empty" },
      sandbox: { backend, network: { type: "none" } },
      content: [{ type: "text", text: "Run the commands that you are told to run." }],
    },
  });
  return id;
}

async function taskEnd({ client }: ServerProcess, id: string): Promise<string> {
  for (let waited = 0; waited < 120_000; waited += 20) {
    const { state, head } = await client.conversation({ params: { id } });
    if (state !== "working") {
      const { events } = await client.events({ params: { id }, query: { after: head - 3 } });
      return JSON.stringify(events.map(({ event }) => event));
    }
    await sleep(20);
  }
  throw new Error("the run did not end");
}

/** A run counts only when the model was asked exactly as often as it should have been. */
function checked(run: Run, said: string): Run {
  if (run.exchanges.length === STEPS + 1) return run;
  throw new Error(
    `${run.exchanges.length} model calls instead of ${STEPS + 1}: ${said.trim().slice(-300).replaceAll("\n", " ")}`,
  );
}
