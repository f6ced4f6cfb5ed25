import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GatewayCommand } from "./gateway-process.ts";
import { runProgram } from "./run-program.ts";

const FOLDER = fileURLToPath(new URL("../../peers/gateway", import.meta.url));
const PORTKEY = join(FOLDER, "node_modules/@portkey-ai/gateway/build/start-server.js");
const LITELLM = "litellm[proxy]==1.106.12";
const VENV = join(process.env["HANDRAIL_CACHE"] ?? join(homedir(), ".cache/handrail"), "bench/litellm-1.106.12");
const INSTALL_MS = 900_000;

/** `@portkey-ai/gateway` with the `@hono/node-server` of its own lock file: with a later one no stream is answered. */
export async function portkey(upstreamPort: number): Promise<GatewayCommand> {
  if (!existsSync(PORTKEY)) {
    process.stderr.write("Installing @portkey-ai/gateway …\n");
    await install("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], FOLDER);
  }
  return {
    name: "portkey 1.15.2",
    program: (port) => ({ command: process.execPath, args: [PORTKEY, "--headless", `--port=${port}`], env: {} }),
    headers: {
      authorization: "Bearer bench",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
    },
  };
}

/** LiteLLM's proxy with a master key and no database, in a virtual environment that is made at first use. */
export async function litellm(upstreamPort: number, home: string): Promise<GatewayCommand> {
  const script = join(VENV, "bin/litellm");
  if (!existsSync(script)) {
    process.stderr.write("Installing litellm[proxy] …\n");
    await install("python3", ["-m", "venv", VENV]);
    await install(join(VENV, "bin/pip"), ["install", "--quiet", "--no-input", LITELLM]);
  }
  const config = join(home, "litellm.yaml");
  const place = { model: "openai/bench", api_base: `http://127.0.0.1:${upstreamPort}/v1`, api_key: "bench" };
  await writeFile(
    config,
    JSON.stringify({
      model_list: [{ model_name: "bench", litellm_params: { ...place, input_cost_per_token: 1e-6 } }],
      litellm_settings: { telemetry: false },
      general_settings: { master_key: "sk-bench" },
    }),
  );
  return {
    name: "litellm 1.106.12",
    slow: true,
    program: (port) => ({
      command: join(VENV, "bin/python"),
      args: [script, "--config", config, "--host", "127.0.0.1", "--port", String(port), "--telemetry", "False"],
      env: { LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_LOG: "ERROR" },
    }),
    headers: { authorization: "Bearer sk-bench" },
  };
}

async function install(command: string, args: readonly string[], cwd?: string): Promise<void> {
  const options = { timeoutMs: INSTALL_MS, ...(cwd === undefined ? {} : { cwd }) };
  const { code, output } = await runProgram(command, args, options);
  if (code !== 0) throw new Error(`${command} could not install it: ${output.trim().split("\n").at(-1) ?? ""}`);
}
