import { join } from "node:path";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import { createModel } from "@handrail/models/create-model";
import { newId } from "@handrail/protocol/ids";
import { driveSteps, instantModel } from "../parts/drive-steps.ts";
import { withDirectory } from "../parts/free-directory.ts";
import { gapsOf, meteredModel } from "../parts/metered-model.ts";
import { writeLongLog } from "../parts/sample-events.ts";
import type { Group, Row } from "../row.ts";
import { middleOf, repeat } from "../samples.ts";

const STEPS = 120;
const UNCOUNTED = 20;
const TIMES = { times: 5, warmUp: 1 };
const LENGTHS = [100, 5000] as const;
const TARGET = { p50AtMost: 5, p99AtMost: 15 };

/** The loop over the real SQLite store, with a model and a sandbox that answer at once, at two lengths of the log. */
export const steps: Group = {
  name: "steps",
  measures: "one step's overhead: everything but the model and the command, at logs of 100 and 5,000 events",
  async run() {
    const rows: Row[] = [];
    for (const length of LENGTHS) rows.push(await inMemory(length));
    for (const length of LENGTHS) rows.push(await overHttp(length));
    return rows;
  },
};

/** From the end of one answer to the next call of the model: commits, the call, folding, building the request. */
async function inMemory(length: number): Promise<Row> {
  const samples = await repeat(TIMES, () => withDirectory((directory) => oneRun(directory, length)));
  return { name: `step overhead, ${length}-event log`, unit: "ms", ...middleOf(samples), target: TARGET };
}

async function oneRun(directory: string, length: number): Promise<number[]> {
  const store = await sqliteLogStore({ file: join(directory, "logs.db") });
  const conversationId = await writeLongLog(store, length);
  const marks = { begun: [] as number[], over: [] as number[] };
  const model = instantModel(STEPS, marks);
  await driveSteps({ store, conversationId, model, sandbox: scriptedSandbox() });
  await store.close();
  return marks.begun
    .slice(1)
    .map((begun, index) => begun - (marks.over[index] ?? Number.NaN))
    .slice(UNCOUNTED);
}

/** The same with the request written and the answer read over HTTP: from the answer's end to the next request. */
async function overHttp(length: number): Promise<Row> {
  const server = await meteredModel(Number.MAX_SAFE_INTEGER);
  const setting = { id: "bench", dialect: "openai", model: "bench", baseUrl: server.baseUrl } as const;
  const samples = await repeat(TIMES, () =>
    withDirectory(async (directory) => {
      const store = await sqliteLogStore({ file: join(directory, newId("c", Date.now())) });
      const conversationId = await writeLongLog(store, length);
      server.reset();
      const model = createModel({
        ...setting,
        contextTokens: 100_000_000,
        inputUsdPerMillion: 0,
        outputUsdPerMillion: 0,
      });
      const stopped = { ...model, stream: stopAfter(model, STEPS) };
      await driveSteps({ store, conversationId, model: stopped, sandbox: scriptedSandbox() });
      await store.close();
      return gapsOf(server.exchanges()).slice(UNCOUNTED);
    }),
  );
  await server.close();
  return {
    name: `step overhead, ${length}-event log, request over HTTP`,
    unit: "ms",
    ...middleOf(samples),
    note: "adds writing the whole prompt as JSON and reading the answer's stream; the prompt grows with the log",
  };
}

/** The model's answers as they are; after `steps` of them its calls are left out, so that the run ends. */
function stopAfter(model: ReturnType<typeof createModel>, steps: number): typeof model.stream {
  let answered = 0;
  return async function* (request, signal) {
    answered += 1;
    if (answered > steps) {
      yield* instantModel(0, { begun: [], over: [] }).stream(request, signal);
    } else yield* model.stream(request, signal);
  };
}
