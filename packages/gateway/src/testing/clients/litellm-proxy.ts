import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import { quietEnvironment } from "./config.ts";

/** A LiteLLM proxy of PyPI that runs. */
export type LiteLlmProxy = { readonly url: string; readonly key: string; close(): Promise<void> };

/** One entry of its `model_list`. */
export type LiteLlmModel = {
  readonly model_name: string;
  readonly litellm_params: Readonly<Record<string, string | number>>;
};

const START_MS = 150_000;
const KEY = "sk-of-litellm";

/** Starts it over these models, without a database. @throws Error when it ends or does not answer in time */
export async function startLiteLlm(packages: string, models: readonly LiteLlmModel[]): Promise<LiteLlmProxy> {
  const home = await mkdtemp(path.join(tmpdir(), "handrail-litellm-"));
  const config = path.join(home, "config.yaml");
  const settings = { model_list: models, general_settings: { master_key: KEY } };
  await writeFile(config, JSON.stringify(settings));
  const port = await freePort();
  const code = "from litellm import run_server; run_server()";
  const args = ["-B", "-c", code, "--config", config, "--host", "127.0.0.1", "--port", String(port)];
  const child = spawn(path.join(packages, "bin/python"), args, {
    cwd: home,
    env: quietEnvironment(home),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)));
  const ended = once(child, "close");
  const close = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  if (await answers(`${url}/health/liveliness`, () => child.exitCode !== null)) return { url, key: KEY, close };
  await close();
  throw new Error(`LiteLLM does not answer: ${said}`);
}

async function answers(url: string, gone: () => boolean): Promise<boolean> {
  const end = Date.now() + START_MS;
  while (Date.now() < end && !gone()) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return true;
    await pause(250);
  }
  return false;
}
