import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { toAppError } from "@handrail/protocol/errors";
import { demoScript } from "./demo.ts";
import { parseScript } from "./script.ts";
import { type ScriptedModel, startScriptedModel } from "./scripted-model.ts";

const HELP = `A model that plays a script, for demos, tests and benches.

  node packages/scripted-model/src/main.ts [--script FILE]... [--port N] [--host ADDRESS] [--api-key KEY]

  --script    a script as JSON; several are told apart by the request's model name (default: the demo)
  --port      where to listen (default 0: a free port)
  --host      the address to listen on (default 127.0.0.1)
  --api-key   the key that requests must carry (default: any)

Speaks OpenAI's Chat Completions, Responses and Embeddings, Anthropic's Messages and Google's Gemini API, and
GET /v1/models. GET /scripted/requests tells what it was asked, and whether the client left before the answer's end
("aborted"). Prints its base URL and runs until a signal.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      script: { type: "string", multiple: true },
      port: { type: "string", default: "0" },
      host: { type: "string", default: "127.0.0.1" },
      "api-key": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const files = await Promise.all((values.script ?? []).map((file) => readFile(file, "utf8")));
  const apiKey = values["api-key"];
  const model = await startScriptedModel({
    script: files.length > 0 ? files.map(parseScript) : demoScript,
    host: values.host,
    port: Number(values.port),
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  process.stdout.write(`${model.baseUrl}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop(model));
}

function stop(model: ScriptedModel): void {
  model.close().catch(fail);
}

function fail(thrown: unknown): void {
  const sentence = thrown instanceof Error ? thrown.message : toAppError(thrown).message;
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}

main().catch(fail);
