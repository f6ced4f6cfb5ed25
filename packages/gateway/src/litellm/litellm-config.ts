import { AppError } from "@handrail/protocol/errors";
import { LineCounter, parseDocument, visit } from "yaml";
import type { CatalogRules } from "../catalog/catalog.ts";
import type { Deployment, RoutingSettings } from "../ports/deployment.ts";
import { type CacheSettings, cacheOf } from "./cache-settings.ts";
import { defined } from "./defined.ts";
import { deploymentsOf, type ListContext } from "./deployments.ts";
import { type GeneralSettings, generalOf } from "./general-settings.ts";
import { routingOf } from "./routing.ts";
import { NO_SECTION, type Section, sectionOf } from "./section.ts";

/** What a `config.yaml` of LiteLLM says, in Handrail's words. */
export type LiteLlmConfig = {
  readonly deployments: readonly Deployment[];
  readonly rules: CatalogRules;
  readonly routing: RoutingSettings;
  readonly cache: CacheSettings;
  readonly general: GeneralSettings;
  /** Whole sentences, each about something in the file that is not served as written. */
  readonly warnings: readonly string[];
};

export type LiteLlmConfigOptions = {
  /** For messages; `config.yaml` when undefined. */
  readonly file?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file that the configuration names. */
  readonly read: (file: string) => string;
};

const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_WARNINGS = 200;
const MAX_NODES = 500_000;

/**
 * Reads the text of a `config.yaml`. What is not known is warned about and changes nothing.
 *
 * @throws AppError `config_invalid`, with the line, when it is no YAML or a value is of the wrong kind
 */
export function parseLiteLlmConfig(text: string, options: LiteLlmConfigOptions): LiteLlmConfig {
  const file = options.file ?? "config.yaml";
  const warnings = new Set<string>();
  const warn = (sentence: string) => {
    if (warnings.size < MAX_WARNINGS) warnings.add(sentence);
  };
  const source = { file, ...parsed(text, file), warn };
  const own = sectionOf(source.document.contents, "", { ...source, environment: options.environment });
  const environment = { ...options.environment, ...variablesOf(own.section("environment_variables")) };
  const root = sectionOf(source.document.contents, "", { ...source, environment });
  const config = configOf(root, { environment, credentials: credentialsOf(root), read: options.read, warn });
  return { ...config, warnings: [...warnings] };
}

function parsed(text: string, file: string) {
  if (text.length > MAX_CHARACTERS) {
    throw new AppError("config_invalid", `${file} is larger than ${MAX_CHARACTERS / 1024 / 1024} MiB.`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: false });
  const [error] = document.errors;
  if (error) {
    const line = lines.linePos(error.pos[0]).line;
    const sentence = error.message.split("\n", 1)[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "it is no YAML";
    throw new AppError("config_invalid", `${file}, line ${line}: ${sentence}.`);
  }
  if (document.contents === null) throw new AppError("config_invalid", `${file} is empty.`);
  let nodes = 0;
  visit(document, () => {
    nodes += 1;
    return nodes > MAX_NODES ? visit.BREAK : undefined;
  });
  if (nodes > MAX_NODES) throw new AppError("config_invalid", `${file} has more than ${MAX_NODES} values.`);
  return { document, lines };
}

function variablesOf(section: Section | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (section?.keys ?? []).flatMap((key) => {
      const value = section?.text(key);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
}

function credentialsOf(root: Section): ReadonlyMap<string, Section> {
  const pairs = root.sections("credential_list").flatMap((item) => {
    item.ignore("credential_info");
    const [name, values] = [item.text("credential_name"), item.section("credential_values")];
    return name === undefined || values === undefined ? [] : [[name, values] as const];
  });
  return new Map(pairs);
}

function configOf(root: Section, context: ListContext): Omit<LiteLlmConfig, "warnings"> {
  const [router, settings, general] = ["router_settings", "litellm_settings", "general_settings"].map(
    (key) => root.section(key) ?? NO_SECTION,
  ) as [Section, Section, Section];
  const milliseconds = (value: number | undefined) => (value === undefined ? undefined : Math.round(value * 1000));
  const times = defined({
    timeoutMs: milliseconds(router.number("timeout") ?? settings.number("request_timeout")),
    streamTimeoutMs: milliseconds(router.number("stream_timeout")),
  });
  const config = {
    deployments: deploymentsOf(root.sections("model_list"), { ...context, ...times }),
    ...routingOf(router, settings, context.warn),
    cache: cacheOf(settings, router, context.warn),
    general: generalOf(general, settings, context),
  };
  root.ignore("environment_variables");
  for (const section of [root, router, settings]) section.warnOfRest();
  return config;
}
