import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ModelContractServer } from "@handrail/core/testing/model-contract";
import type { ModelContractScript } from "@handrail/core/testing/model-contract-scripts";
import { createModel } from "../create-model.ts";

const PROGRAM = fileURLToPath(new URL("../../../scripted-model/src/main.ts", import.meta.url));

/** Starts the scripted model as a program of its own, and speaks to it in one dialect. */
export async function contractServer(
  dialect: "openai" | "anthropic",
  scripts: readonly ModelContractScript[],
): Promise<ModelContractServer> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-models-"));
  const files = await Promise.all(scripts.map((script) => written(directory, script)));
  const child = spawn(process.execPath, [PROGRAM, ...files.flatMap((file) => ["--script", file])], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [baseUrl] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    model: (model, options) =>
      createModel(
        { id: model, dialect, model, baseUrl },
        options?.impatient ? { timeouts: { firstByteMs: 100, betweenMs: 100 } } : {},
      ),
    async aborted(script) {
      const list = (await (await fetch(new URL("/scripted/requests", baseUrl))).json()) as readonly Asked[];
      return list.filter(({ body }) => body.model === script).map(({ aborted }) => aborted);
    },
    async close() {
      child.kill();
      await once(child, "exit");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

type Asked = { readonly body: { readonly model: string }; readonly aborted: boolean };

async function written(directory: string, script: ModelContractScript): Promise<string> {
  const file = join(directory, `${script.name}.json`);
  await writeFile(file, JSON.stringify(script));
  return file;
}
