import { type Command, InvalidArgumentError, Option } from "commander";
import type { Limits } from "@handrail/protocol/limits";
import type { SetupChoice } from "@handrail/protocol/setup";
import type { NetworkRule } from "@handrail/protocol/sources";
import { EXIT_HELP, UsageError } from "./exit-codes.ts";
import { present } from "./present.ts";
import { parseCount, parseDuration, parseMoney, parseNetwork } from "./parse-values.ts";

export type LimitOptions = {
  readonly maxCost?: number;
  readonly maxSteps?: number;
  readonly maxTokens?: number;
  readonly timeout?: number;
};

export type OutcomeOptions = LimitOptions & {
  readonly json?: boolean;
  readonly apply?: boolean;
  readonly output?: string;
};

export type RunOptions = OutcomeOptions & {
  readonly repo?: string;
  readonly branch?: string;
  readonly model?: string;
  readonly team?: string;
  readonly sandbox?: "docker" | "process" | "containerd" | "none";
  readonly image?: string;
  readonly profile?: "strict" | "default" | "dev";
  readonly network?: NetworkRule;
  /** False: no set-up, not even the repository's own. */
  readonly setup?: string | false;
};

/** The options of `run` that say where and with what. */
export function addPlaceOptions(command: Command): Command {
  return command
    .option("--repo <dir|url>", "folder or git URL to work on; demo or empty (default: the repository you are in)")
    .option("--branch <name>", "branch to start from")
    .option("--model <id>", "model, as the settings name it; demo is the scripted model")
    .option("--team <id>", "one of your teams: its rules, secrets and budget hold then")
    .addOption(
      new Option("--sandbox <kind>", "where commands run").choices(["docker", "process", "containerd", "none"]),
    )
    .option("--image <name>", "image of a docker sandbox")
    .addOption(new Option("--profile <name>", "what its programs may do").choices(["strict", "default", "dev"]))
    .option("--network <rule>", "none, default, or hosts between commas", valued(parseNetwork))
    .option("--setup <command>", "run this in the new workspace first, not the repository's .handrail/setup.sh")
    .option("--no-setup", "run no set-up");
}

/** The limits of one run, and what to do with its result. */
export function addOutcomeOptions(command: Command): Command {
  return command
    .option("--max-cost <usd>", "stop before the run costs more, such as 0.50", valued(parseMoney))
    .option("--max-steps <n>", "stop after so many model calls", valued(parseCount(100_000)))
    .option("--max-tokens <n>", "stop after so many tokens, input and output", valued(parseCount(10_000_000_000)))
    .option("--timeout <time>", "stop after so long, such as 90s, 30m or 2h", valued(parseDuration))
    .option("--json", "print one JSON event a line on stdout, and nothing else there")
    .option("--apply", "apply the result to the folder that --repo names")
    .option("--output <file>", "write the patch there (default: ID.patch)")
    .addHelpText("after", EXIT_HELP);
}

/** The limits that the options set; undefined when they set none. */
export function limitsOf(options: LimitOptions): Limits | undefined {
  const limits: Limits = present({
    maxCostUsd: options.maxCost,
    maxSteps: options.maxSteps,
    maxTokens: options.maxTokens,
    maxTimeMs: options.timeout,
  });
  return Object.keys(limits).length === 0 ? undefined : limits;
}

/** What the options say of the set-up; undefined when they say nothing. */
export function setupOf({ setup }: Pick<RunOptions, "setup">): SetupChoice | undefined {
  if (setup === undefined) return undefined;
  return setup === false ? { type: "none" } : { type: "command", command: setup };
}

/** Makes a parser's refusal commander's, which then names the option. */
export function valued<Value>(parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (thrown) {
      if (thrown instanceof UsageError) throw new InvalidArgumentError(thrown.message);
      throw thrown;
    }
  };
}
