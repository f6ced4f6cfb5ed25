import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "./run-program.ts";

const FOLDER = fileURLToPath(new URL("../../peers", import.meta.url));
const MODULES = join(FOLDER, "node_modules");

/** Another coding agent, set up to drive a model at `baseUrl` without any other network. */
export type Peer = {
  readonly name: string;
  /** Command line and environment for one task in `home`, which is empty before. */
  prepare(home: string, baseUrl: string): Promise<PeerCommand>;
};

export type PeerCommand = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

const TASK = "Run the commands that you are told to run.";
const LIMITS = { context: 200_000, output: 8000 };

/** Installs the peers at their locked versions when they are not there yet. Their install scripts are not run. */
export async function installPeers(): Promise<void> {
  if (existsSync(join(MODULES, "opencode-ai")) && existsSync(join(MODULES, "@mariozechner/pi-coding-agent"))) return;
  process.stderr.write("Installing the peers (about 560 MB) …\n");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { code, output } = await runProgram("npm", args, { cwd: FOLDER, timeoutMs: 600_000 });
  if (code !== 0) throw new Error(`the peers could not be installed: ${output.trim().split("\n").at(-1) ?? ""}`);
}

/** `opencode-ai`: its program is in a package for the platform. */
const opencode: Peer = {
  name: "opencode-ai 1.18.33",
  async prepare(home, baseUrl) {
    const config = {
      $schema: "https://opencode.ai/config.json",
      autoupdate: false,
      share: "disabled",
      model: "bench/bench",
      small_model: "bench/bench",
      permission: { "*": "allow" },
      provider: {
        bench: {
          npm: "@ai-sdk/openai-compatible",
          name: "Bench",
          options: { baseURL: baseUrl, apiKey: "bench" },
          models: { bench: { name: "Bench", limit: LIMITS, tool_call: true } },
        },
      },
    };
    return {
      command: join(MODULES, `opencode-${process.platform}-${process.arch}`, "bin/opencode"),
      args: ["run", "--model", "bench/bench", "--title", "bench", TASK],
      env: {
        ...plainEnvironment(home),
        OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_SHARE: "1",
        OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
      },
    };
  },
};

/** `@mariozechner/pi-coding-agent` in print mode. */
const pi: Peer = {
  name: "pi-coding-agent 0.73.1",
  async prepare(home, baseUrl) {
    const agent = join(home, "agent");
    await mkdir(agent, { recursive: true });
    const models = [{ id: "bench", contextWindow: LIMITS.context, maxTokens: LIMITS.output }];
    const provider = { baseUrl, api: "openai-completions", apiKey: "bench", models };
    await writeFile(join(agent, "models.json"), JSON.stringify({ providers: { bench: provider } }));
    return {
      command: process.execPath,
      args: [PI, "--print", "--provider", "bench", "--model", "bench", TASK],
      env: { ...plainEnvironment(home), PI_CODING_AGENT_DIR: agent, PI_OFFLINE: "1", PI_TELEMETRY: "0" },
    };
  },
};

const PI = join(MODULES, "@mariozechner/pi-coding-agent/dist/cli.js");

export const PEERS: readonly Peer[] = [opencode, pi];

/** Nothing of the user's own settings, and no way to the network but loopback. */
function plainEnvironment(home: string): Record<string, string> {
  const closed = "http://127.0.0.1:9";
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "data"),
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_STATE_HOME: join(home, "state"),
    TERM: "dumb",
    HTTP_PROXY: closed,
    HTTPS_PROXY: closed,
    NO_PROXY: "127.0.0.1,localhost",
  };
}
