import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { Limits } from "@handrail/protocol/limits";
import type { ModelSetting } from "@handrail/protocol/settings";
import { NetworkPreset } from "@handrail/protocol/network";
import { SandboxProfile, type BackendName, type NetworkRule } from "@handrail/protocol/sources";
import { outdatedNames } from "./config/outdated-names.ts";
import { type GatewayConfig, gatewayFrom } from "./config/gateway-config.ts";
import { type CheckpointConfig, checkpointsFrom } from "./config/checkpoint-config.ts";
import type { OptionValues } from "./config/options.ts";
import { readFlags, readOptions } from "./config/read-options.ts";

/** What the server was told. Sizes in bytes, times in milliseconds; undefined means not set. */
export type Config = {
  readonly host: string;
  readonly port: number;
  readonly home: string;
  readonly publicUrl: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly preview: { readonly port: number | undefined; readonly url: string | undefined };
  readonly webDirectory: string;
  /** Ids. */
  readonly teams: readonly string[];
  /** From the environment, a flag or the file; the page cannot change it. */
  readonly model: ModelSetting | undefined;
  readonly sandbox: SandboxConfig;
  readonly network: NetworkConfig;
  readonly checkpoints: CheckpointConfig;
  readonly setup: SetupConfig;
  readonly gateway: GatewayConfig;
  readonly maxRuns: number;
  readonly limits: Limits;
  readonly runLimits: Limits;
  readonly localSources: boolean;
  readonly metricsPublic: boolean;
  readonly logLevel: string;
  readonly logAllEvents: boolean;
  /** For the user's own programs, such as git, that the server runs. */
  readonly environment: Environment;
  /** Sentences for the log: names that were set and have no effect. */
  readonly warnings: readonly string[];
};

/** Limits of one conversation, how long its requests wait for an answer, and hosts that may be in private networks. */
export type NetworkConfig = {
  readonly privateHosts: readonly string[];
  readonly limits: { readonly bytes: number; readonly requestsPerMinute: number; readonly connections: number };
  readonly askMs: number;
};

/** `cacheBytes`: kept results of set-ups together; 0 keeps none. */
export type SetupConfig = { readonly limitMs: number; readonly cacheBytes: number };

export type SandboxConfig = {
  readonly backend: BackendName | undefined;
  readonly image: string | undefined;
  readonly network: NetworkRule;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly diskBytes: number;
  readonly profile: SandboxProfile;
  /** Those that conversations may have; `profile` is one of them. */
  readonly profiles: readonly SandboxProfile[];
  /** Whether programs in `dev` may make containers, where the backend has a way. */
  readonly containers: boolean;
  /** Whether FUSE bounds workspaces of process sandboxes where nothing else does. */
  readonly processFuse: boolean;
  /** How many sandboxes wait for conversations at most. */
  readonly warm: number;
  readonly idleMs: number;
  readonly docker: DockerConfig;
  readonly containerd: ContainerdConfig;
};

/** Which runtime, and which of its handlers. Without an address, it is only offered where it is the chosen backend. */
export type ContainerdConfig = {
  readonly address: string | undefined;
  readonly runtimeHandler: string | undefined;
  readonly devRuntime: string | undefined;
};

/** Which daemon, and how long one that does not answer is waited for. */
export type DockerConfig = {
  readonly host: string | undefined;
  readonly tls: boolean;
  readonly certificates: string | undefined;
  /** The daemon's runtime for the profile dev. */
  readonly devRuntime: string | undefined;
  /** Whether a helper container may mount disks for workspaces, where this process cannot. */
  readonly diskHelper: boolean;
  readonly waitMs: number;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The server's configuration: flags over environment over `handrail.yaml`.
 * @throws AppError `config_invalid`, naming the flag, the variable or the key
 */
export function readConfig(argv: readonly string[], env: Environment = process.env): Config {
  const flags = readFlags(argv);
  const home = resolve(expanded(flags.get("home") ?? (env["HANDRAIL_HOME"] || "~/.handrail")));
  const filePath = resolve(flags.get("config") ?? join(home, "handrail.yaml"));
  const file = readFile(filePath, flags.has("config"));
  const values = readOptions({ flags, env, file, filePath });
  const warnings = [...outdatedNames(env), ...incompleteModel(values)];
  return { ...configFrom(values), home, environment: env, warnings };
}

function configFrom(values: OptionValues): Omit<Config, "home" | "environment" | "warnings"> {
  return {
    host: values.host ?? "127.0.0.1",
    port: values.port ?? 3000,
    publicUrl: values.publicUrl,
    allowedHosts: values.allowedHosts ?? [],
    preview: { port: values.previewPort, url: values.previewUrl },
    webDirectory: webDirectoryFrom(values),
    teams: values.teams ?? [],
    model: modelFrom(values),
    sandbox: sandboxFrom(values),
    network: networkConfig(values),
    checkpoints: checkpointsFrom(values),
    setup: setupFrom(values),
    gateway: gatewayFrom(values),
    maxRuns: values.maxRuns ?? 8,
    limits: present({ maxCostUsd: values.maxCostUsd, maxSteps: values.maxSteps }),
    runLimits: runLimitsFrom(values),
    localSources: values.localSources ?? true,
    metricsPublic: values.metricsPublic ?? false,
    logLevel: values.logLevel ?? "info",
    logAllEvents: values.logAllEvents ?? false,
  };
}

function webDirectoryFrom({ webDirectory }: OptionValues): string {
  return resolve(webDirectory ?? join(import.meta.dirname, "../../web/dist"));
}

function modelFrom(values: OptionValues): ModelSetting | undefined {
  const { llmModel: model, llmBaseUrl: baseUrl, llmDialect: dialect = "openai" } = values;
  if (model === undefined) return undefined;
  if (dialect === "openai" && baseUrl === undefined) {
    throw new AppError(
      "config_invalid",
      "LLM_MODEL is set but LLM_BASE_URL is not. Set the address of the model's API.",
    );
  }
  return {
    dialect,
    model,
    ...present({
      baseUrl,
      apiKey: values.llmApiKey ?? (dialect === "anthropic" ? values.anthropicApiKey : undefined),
      contextTokens: values.llmContextTokens,
      maxOutputTokens: values.llmMaxOutputTokens,
      inputUsdPerMillion: values.llmInputUsdPerMillion,
      outputUsdPerMillion: values.llmOutputUsdPerMillion,
    }),
  };
}

function incompleteModel({ llmBaseUrl, llmModel }: OptionValues): readonly string[] {
  if (llmBaseUrl === undefined || llmModel !== undefined) return [];
  return ["LLM_BASE_URL is set but LLM_MODEL is not, so no model is set. Name one of the API's models."];
}

function sandboxFrom(values: OptionValues): SandboxConfig {
  return {
    backend: values.sandbox,
    image: values.sandboxImage,
    network: networkFrom(values.sandboxNetwork ?? ["registries", "repository"]),
    cpus: values.sandboxCpus ?? 2,
    memoryBytes: values.sandboxMemory ?? 4 * 1024 ** 3,
    processes: values.sandboxProcesses ?? 1024,
    diskBytes: values.sandboxDisk ?? 10 * 1024 ** 3,
    ...profilesFrom(values),
    containers: values.sandboxContainers ?? false,
    processFuse: values.processFuse ?? true,
    warm: values.sandboxWarm ?? 2,
    idleMs: values.sandboxIdle ?? 30 * 60_000,
    docker: dockerFrom(values),
    containerd: {
      address: values.containerdAddress,
      runtimeHandler: values.containerdRuntime,
      devRuntime: values.containerdDevRuntime,
    },
  };
}

function dockerFrom(values: OptionValues): SandboxConfig["docker"] {
  const { dockerHost: host, dockerCertPath: certificates } = values;
  return {
    host,
    tls: values.dockerTlsVerify ?? false,
    devRuntime: values.dockerDevRuntime,
    diskHelper: values.dockerDisks ?? true,
    certificates: certificates === undefined ? undefined : resolve(expanded(certificates)),
    // A daemon that was named is meant to be there; the usual socket is only looked for.
    waitMs: values.dockerWait ?? (host === undefined ? 0 : 30_000),
  };
}

function profilesFrom(values: OptionValues): Pick<SandboxConfig, "profile" | "profiles"> {
  const profiles = values.sandboxProfiles ?? SandboxProfile.options;
  const profile = values.sandboxProfile ?? (profiles.includes("default") ? "default" : profiles[0]);
  if (profile !== undefined && profiles.includes(profile)) return { profile, profiles };
  throw new AppError("config_invalid", `The sandbox-profile ${profile} is not one of sandbox-profiles. Add it there.`);
}

function networkConfig(values: OptionValues): NetworkConfig {
  return {
    privateHosts: values.networkPrivateHosts ?? [],
    limits: {
      bytes: values.networkMaxBytes ?? 20 * 1024 ** 3,
      requestsPerMinute: values.networkMaxRequests ?? 3000,
      connections: values.networkMaxConnections ?? 64,
    },
    askMs: values.networkAsk ?? 60_000,
  };
}

function setupFrom({ setupTime, setupCache }: OptionValues): SetupConfig {
  return { limitMs: setupTime ?? 15 * 60_000, cacheBytes: setupCache ?? 10 * 1024 ** 3 };
}

function networkFrom(words: readonly string[]): NetworkRule {
  if (words.length === 0 || words.includes("none")) return { type: "none" };
  return {
    type: "allow",
    presets: NetworkPreset.options.filter((preset) => words.includes(preset)),
    hosts: words.filter((word) => !NetworkPreset.safeParse(word).success),
  };
}

function runLimitsFrom(values: OptionValues): Limits {
  return present({
    maxCostUsd: "runMaxCostUsd" in values ? values.runMaxCostUsd : 20,
    maxSteps: values.runMaxSteps ?? 500,
    maxTokens: values.runMaxTokens,
    maxTimeMs: values.runMaxTime ?? 6 * 3_600_000,
  });
}

function readFile(path: string, required: boolean): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) {
    if (required) throw new AppError("config_invalid", `There is no file ${path}.`);
    return {};
  }
  const content: unknown = parsedYaml(path);
  if (content === null) return {};
  if (typeof content !== "object" || Array.isArray(content)) {
    throw new AppError("config_invalid", `${path} must hold keys and values.`);
  }
  return content as Readonly<Record<string, unknown>>;
}

/** The parser is loaded only where there is a file: most servers have none. */
const yaml = () => createRequire(import.meta.url)("yaml") as typeof import("yaml");

function parsedYaml(path: string): unknown {
  try {
    return yaml().parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "";
    throw new AppError("config_invalid", `${path} cannot be read: ${reason}`, {}, { cause });
  }
}

const expanded = (path: string) => path.replace(/^~(?=\/|$)/, homedir());

type Present<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function present<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>;
}
