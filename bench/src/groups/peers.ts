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
import { median, middleOf } from "../samples.ts";

const STEPS = 50;
const ROUNDS = 5;
const BACKENDS: readonly BackendName[] = ["none", "process", "docker"];

/** Who takes part: each runs the same task of 50 steps. */
type Contestant = { readonly name: string; run(): Promise<Run> };
/** `runs` is empty when it failed; `problem` then says how. */
type Result = { readonly name: string; readonly runs: readonly Run[]; readonly problem?: Error | undefined };
type Run = { readonly wallMs: number; readonly exchanges: readonly Exchange[] };

/** Handrail's server and other coding agents drive the same model, each by its own means, in turns. */
export const peers: Group = {
  name: "peers",
  measures: "the base prompt, and 50 steps of `true` driven by the same model, beside opencode and pi",
  async run() {
    await installPeers();
    const model = await meteredModel(STEPS);
    try {
      return await withDirectory(async (home) => {
        const env = { ...modelEnvironment(model.baseUrl), HANDRAIL_SANDBOX: "none" };
        const server = await startServerProcess({ home, env });
        try {
          const theirs = PEERS.map((peer) => ({ name: peer.name, run: () => peerRun(peer, model) }));
          const own = BACKENDS.map((backend) => ({
            name: `server with ${backend} sandbox`,
            run: () => ownRun(server, model, backend),
          }));
          const results = await inTurns([...theirs, ...own]);
          const others = results.slice(0, theirs.length);
          return [await promptRow(others), ...rowsOf(results.slice(theirs.length), others)];
        } finally {
          await server.stop();
        }
      });
    } finally {
      await model.close();
    }
  },
};

/** Each runs once in every round, so that what else the machine does weighs on all alike. The first round is a warm-up. */
async function inTurns(contestants: readonly Contestant[]): Promise<readonly Result[]> {
  const results = contestants.map(({ name }) => ({ name, runs: [] as Run[], problem: undefined as Error | undefined }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const result = results[index];
      if (result === undefined || result.problem !== undefined) continue;
      const run = await contestant.run().catch((thrown: Error) => void (result.problem = thrown));
      if (run !== undefined && round > 0) result.runs.push(run);
    }
  }
  return results;
}

/** A row for each of our backends, also for one that could not be measured: the peers' figures stay in sight. */
function rowsOf(own: readonly Result[], others: readonly Result[]): readonly Row[] {
  const beside = others.map((result) => ({ name: result.name, ...stepSpread(result) }));
  return own.map((result) => {
    const name = `step with its command, ${STEPS} steps, ${result.name}`;
    if (result.problem !== undefined) return { ...missing(name, "ms", result.problem), beside };
    const whole = wholeText([result, ...others]);
    const note = `from an answer's end to the next request; whole task without the model: ${whole}`;
    return { name, unit: "ms", ...stepSpread(result), beside, note };
  });
}

/** The first request of a conversation in an empty workspace, as the model received it. */
async function promptRow(others: readonly Result[]): Promise<Row> {
  const first = await firstExchange();
  return {
    name: "base prompt with all tools",
    unit: "bytes",
    p50: promptBytes(first),
    target: { p50AtMost: 8000 },
    beside: others.map(({ name, runs }) => ({ name, p50: promptBytes(runs[0]?.exchanges[0]) })),
    note: `as the model received it: system text ${first?.systemBytes}, ${first?.tools.length} tools as JSON ${first?.toolsBytes}`,
  };
}

function promptBytes(exchange: Exchange | undefined): number {
  return exchange === undefined ? Number.NaN : exchange.systemBytes + exchange.toolsBytes;
}

const stepSpread = ({ runs }: Result) => middleOf(runs.map(({ exchanges }) => gapsOf(exchanges)));

/** Milliseconds a step of the whole task, from its start to its end, less the model's own time; or why there is none. */
function wholeText(results: readonly Result[]): string {
  const each = ({ runs }: Result) => median(runs.map((run) => (run.wallMs - modelMs(run.exchanges)) / STEPS));
  const text = (result: Result) =>
    result.problem === undefined ? `${each(result).toFixed(1)} ms a step` : `failed (${result.problem.message})`;
  return results.map((result) => `${result.name} ${text(result)}`).join(", ");
}

/** A peer's wall time is from the start of its program to its end. */
function peerRun(peer: Peer, model: MeteredModel): Promise<Run> {
  return withDirectory(async (home) => {
    const { command, args, env } = await peer.prepare(home, model.baseUrl);
    const cwd = join(home, "work");
    await mkdir(cwd);
    model.reset();
    const ran = await runProgram(command, args, { cwd, env, timeoutMs: 120_000 });
    return checked({ wallMs: ran.ms, exchanges: model.exchanges() }, ran.output);
  });
}

/** Our wall time is from the request that makes the conversation to the end of its run: the server runs already. */
async function ownRun(server: ServerProcess, model: MeteredModel, backend: BackendName): Promise<Run> {
  model.reset();
  const started = performance.now();
  const id = await startTask(server, backend);
  const detail = await taskEnd(server, id);
  const run = { wallMs: performance.now() - started, exchanges: model.exchanges() };
  await server.client.deleteConversation({ params: { id } });
  return checked(run, detail);
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
