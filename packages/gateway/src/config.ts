import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { AppError } from "@handrail/protocol/errors";
import { truthOf } from "@handrail/protocol/truth-of";
import type { GuardSettings } from "./guard/open-guard.ts";
import { guardFrom } from "./program/guard-options.ts";
import { type ModelOptions, type OptionName, optionNames } from "./program/options.ts";
import { type TraceSettings, traceSettings } from "./trace/trace-settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the gateway's program was told. Undefined means not set. */
export type GatewayConfig = {
  readonly host: string;
  readonly port: number;
  readonly home: string;
  /** A `config.yaml` of LiteLLM. */
  readonly file: string | undefined;
  readonly model: ModelOptions | undefined;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** `books`, or `redis` before them. */
  readonly limits: string;
  readonly masterKey: string | undefined;
  /** Whether a master key that can be guessed is allowed beyond loopback. */
  readonly weakMasterKey: boolean;
  readonly guard: GuardSettings;
  readonly traces: TraceSettings | undefined;
  readonly logLevel: string;
  /** For what a configuration file takes from it. */
  readonly environment: Environment;
};

/**
 * The program's configuration: flags over environment.
 * @throws AppError `config_invalid`, naming the flag or the variable
 */
export function readGatewayConfig(argv: readonly string[], env: Environment = process.env): GatewayConfig {
  const flags = readFlags(argv);
  const given = (name: OptionName) => valueOf(name, flags, env);
  return {
    host: given("host") ?? "127.0.0.1",
    port: Number(given("port") ?? 4000),
    home: resolve(expanded(given("home") ?? join(homedir(), ".handrail"))),
    file: given("config"),
    model: modelFrom(given),
    databaseUrl: given("databaseUrl"),
    redisUrl: given("redisUrl"),
    limits: given("gatewayLimits") ?? "books",
    masterKey: given("masterKey"),
    weakMasterKey: truthOf(given("gatewayWeakMasterKey") ?? "") === true,
    guard: guardFrom(given),
    traces: traceSettings(env),
    logLevel: given("logLevel") ?? "info",
    environment: env,
  };
}

type Flags = Readonly<Record<string, string | boolean | undefined>>;
type Given = (name: OptionName) => string | undefined;

function readFlags(argv: readonly string[]): Flags {
  const options = Object.fromEntries(
    optionNames()
      .filter(({ option }) => option.secret !== true)
      .map(({ flag }) => [flag, { type: "string" as const }]),
  );
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split(". ")[0] ?? "") : "";
    throw new AppError("config_invalid", `${reason}. See handrail gateway --help.`, {}, { cause });
  }
}

function valueOf(name: OptionName, flags: Flags, env: Environment): string | undefined {
  const { flag, option } = optionNames().find((known) => known.name === name) ?? never(name);
  const own = flags[flag];
  const variable = option.env.find((candidate) => (env[candidate] ?? "") !== "");
  const text = typeof own === "string" ? own : variable && env[variable];
  if (text === undefined) return undefined;
  const problem = option.value(text);
  if (problem === undefined) return text;
  const source = typeof own === "string" ? `--${flag}` : variable;
  throw new AppError("config_invalid", `${source} is not valid: it ${problem}.`);
}

function modelFrom(given: Given): ModelOptions | undefined {
  const model = given("llmModel");
  if (model === undefined) return undefined;
  const number = (name: OptionName) => numberOr(given(name));
  return {
    model,
    dialect: given("llmDialect") ?? "openai",
    baseUrl: given("llmBaseUrl"),
    apiKey: given("llmApiKey"),
    contextTokens: number("llmContextTokens"),
    maxOutputTokens: number("llmMaxOutputTokens"),
    inputUsdPerMillion: number("llmInputUsdPerMillion"),
    outputUsdPerMillion: number("llmOutputUsdPerMillion"),
  };
}

const numberOr = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const expanded = (path: string) => path.replace(/^~(?=\/|$)/, homedir());

function never(name: string): never {
  throw new Error(`There is no option ${name}.`);
}
