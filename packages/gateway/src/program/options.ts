import { MODEL_DIALECTS } from "@handrail/protocol/model-names";
import { GUARD_OPTIONS } from "./guard-options.ts";
import type { Option } from "./option.ts";
import { address, listed, price, text, truth, whole } from "./text-rules.ts";

const tokens = whole(1, 1_000_000_000);
const secret = text(8192);
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Every setting of the program. */
export const OPTIONS = {
  host: { env: ["HOST"], value: text(253), help: "Address to listen on. Default 127.0.0.1." },
  port: { env: ["PORT"], value: whole(0, 65_535), help: "Port to listen on; 0 takes a free one. Default 4000." },
  home: { env: ["HANDRAIL_HOME"], value: text(4096), help: "State directory. Default ~/.handrail." },
  config: {
    env: ["CONFIG_FILE_PATH"],
    value: text(4096),
    help: "A config.yaml of LiteLLM: models, routing, cache, master key.",
  },
  masterKey: {
    env: ["HANDRAIL_MASTER_KEY", "LITELLM_MASTER_KEY"],
    value: secret,
    help: "Key that may do everything. Default: one is made, in the state directory.",
    secret: true,
  },
  gatewayWeakMasterKey: {
    env: ["HANDRAIL_GATEWAY_WEAK_MASTER_KEY"],
    value: truth,
    help: "true starts beyond loopback also with a master key that can be guessed.",
  },
  databaseUrl: {
    env: ["DATABASE_URL"],
    value: secret,
    help: "PostgreSQL for the books. Default: SQLite in the state directory.",
    secret: true,
  },
  redisUrl: {
    env: ["REDIS_URL"],
    value: secret,
    help: "Redis for the cache of answers.",
    secret: true,
  },
  gatewayLimits: {
    env: ["HANDRAIL_GATEWAY_LIMITS"],
    value: listed(["books", "redis"]),
    help: "Where limits are counted: books, or redis before them. Default books.",
  },
  llmModel: { env: ["LLM_MODEL"], value: text(256), help: "One model, where there is no --config." },
  llmBaseUrl: { env: ["LLM_BASE_URL"], value: address, help: "Base URL of its API." },
  llmApiKey: { env: ["LLM_API_KEY"], value: secret, help: "The key of its API.", secret: true },
  llmDialect: {
    env: ["LLM_DIALECT"],
    value: listed(MODEL_DIALECTS),
    help: "Its wire format: openai, anthropic, google or bedrock. Default openai.",
  },
  llmContextTokens: { env: ["LLM_CONTEXT_TOKENS"], value: tokens, help: "Its context window in tokens." },
  llmMaxOutputTokens: { env: ["LLM_MAX_OUTPUT_TOKENS"], value: tokens, help: "Most tokens of one answer." },
  llmInputUsdPerMillion: {
    env: ["LLM_INPUT_USD_PER_MILLION"],
    value: price,
    help: "Price of a million input tokens in US dollars.",
  },
  llmOutputUsdPerMillion: {
    env: ["LLM_OUTPUT_USD_PER_MILLION"],
    value: price,
    help: "Price of a million output tokens in US dollars.",
  },
  ...GUARD_OPTIONS,
  logLevel: { env: ["LOG_LEVEL"], value: listed(LEVELS), help: `${LEVELS.join(", ")}. Default info.` },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof OPTIONS;

/** One model as the environment or flags describe it. */
export type ModelOptions = {
  readonly model: string;
  readonly dialect: string;
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  readonly contextTokens: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly inputUsdPerMillion: number | undefined;
  readonly outputUsdPerMillion: number | undefined;
};

/** Every option with the name of its flag, in the order of the help. */
export function optionNames(): readonly {
  readonly name: OptionName;
  readonly flag: string;
  readonly option: Option;
}[] {
  return Object.entries<Option>(OPTIONS).map(([name, option]) => ({
    name: name as OptionName,
    flag: name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    option,
  }));
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = optionNames().map(({ flag, option }) => {
    const shown = option.secret === true ? "" : `--${flag}`;
    return `  ${shown.padEnd(28)} ${(option.env[0] ?? "").padEnd(33)} ${option.help}`;
  });
  return `Handrail's model gateway, alone.

Usage: handrail gateway [options]
       handrail gateway import --from FILE|postgres://… [options]

With import it takes over the keys of a LiteLLM, with users, teams and limits, and ends. FILE has them as JSON, or holds the address of
its PostgreSQL.

Every option can be a flag or an environment variable. Flags win. Logs are JSON lines on the second output.

  ${"flag".padEnd(28)} ${"environment".padEnd(33)} meaning
${rows.join("\n")}
  ${"--help".padEnd(62)} Show this text.

Exit codes: 0 stopped by a signal, 1 failed, 2 the configuration, the port or the state directory is not usable.
`;
}
