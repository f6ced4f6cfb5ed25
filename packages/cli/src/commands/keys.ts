import path from "node:path";
import type { KeyImported, KeyInfo, KeyInput } from "@handrail/protocol/gateway";
import { type Command, Option } from "commander";
import { countText, durationText, moneyText } from "../amounts.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { parseCount, parseDuration, parseMoney } from "../parse-values.ts";
import { importSource } from "../import-source.ts";
import { plainLine } from "../plain-text.ts";
import { present } from "../present.ts";
import { askGateway, type GatewayOptions, withGatewayOptions } from "../reach-gateway.ts";
import { valued } from "../run-options.ts";

type CreateOptions = GatewayOptions & {
  readonly models?: readonly string[];
  readonly budget?: number;
  readonly period: "day" | "week" | "month" | "total";
  readonly rpm?: number;
  readonly tpm?: number;
  readonly parallel?: number;
  readonly expires?: number;
  readonly team?: string;
  readonly cache?: "off" | "key" | "team" | "all";
  readonly admin?: boolean;
  readonly json?: boolean;
};

type JsonOption = GatewayOptions & { readonly json?: boolean };

const EXAMPLES = `
A key lets other programs use your models, at the server's address with /v1 at its end. It is shown once.

Examples:
  handrail keys create ci --budget 5 --period day --models fast "claude-*"
  handrail keys create laptop --rpm 60 --expires 30d --json
  handrail keys revoke v_01k2j3h4g5f6d7s8a9q0
`;

/** `handrail keys create|list|rotate|revoke|import`: virtual keys of the model gateway. */
export function addKeysCommand(program: Command, context: Context): void {
  const keys = program
    .command("keys")
    .description("create, list, replace, revoke and import keys of the model gateway")
    .addHelpText("after", EXAMPLES + EXIT_HELP);
  addCreate(keys, context);
  addList(keys, context);
  addRotate(keys, context);
  addRevoke(keys, context);
  addImport(keys, context);
}

function addCreate(keys: Command, context: Context): void {
  withGatewayOptions(keys.command("create"))
    .argument("<name>", "who or what uses it")
    .description("make a key and print it, this once")
    .option("--models <name...>", 'what it may ask for; names may end in *, such as "claude-*" (default: all)')
    .option("--budget <usd>", "what it may spend in a period, such as 5.00", valued(parseMoney))
    .addOption(
      new Option("--period <span>", "when the budget starts again, at midnight UTC")
        .choices(["day", "week", "month", "total"])
        .default("month"),
    )
    .option("--rpm <n>", "requests a minute", valued(parseCount(10_000_000)))
    .option("--tpm <n>", "tokens a minute", valued(parseCount(10_000_000_000)))
    .option("--parallel <n>", "calls at a time", valued(parseCount(100_000)))
    .option("--expires <time>", "how long it is good for, such as 12h or 30d", valued(parseDuration))
    .option("--team <id>", "a team whose limits count too")
    .addOption(
      new Option("--cache <scope>", "whether answers are cached, and for whom").choices(["off", "key", "team", "all"]),
    )
    .option("--admin", "it may manage keys over the LiteLLM routes")
    .option("--json", 'print {"key": …} and nothing else')
    .addHelpText("after", EXIT_HELP)
    .action((name: string, options: CreateOptions) =>
      askGateway(context, options, async ({ client, url }) => {
        const { key, info } = await client.createGatewayKey({ body: keyInput(name, options, Date.now()) });
        printKey(context, { key, info, url }, options);
      }),
    );
}

function addList(keys: Command, context: Context): void {
  withGatewayOptions(keys.command("list"))
    .description("keys and what they have spent, never the keys themselves")
    .option("--json", "print one JSON object a line")
    .addHelpText("after", EXIT_HELP)
    .action((options: JsonOption) =>
      askGateway(context, options, async ({ client }) => {
        const found = (await client.gatewayKeys()).keys;
        for (const info of found)
          context.screen.out(`${options.json === true ? JSON.stringify(info) : keyLine(info, Date.now())}\n`);
        if (found.length === 0) context.screen.err("There is no key. Make one with: handrail keys create NAME\n");
      }),
    );
}

function addRotate(keys: Command, context: Context): void {
  withGatewayOptions(keys.command("rotate"))
    .argument("<id>", "its id, as list shows it")
    .description("print a new key in place of this one, with its rights, limits and spend")
    .option("--keep-old <time>", "how long the old one still works, such as 1h; 7d at most", valued(parseDuration))
    .option("--json", 'print {"key": …} and nothing else')
    .addHelpText("after", EXIT_HELP)
    .action((id: string, options: JsonOption & { readonly keepOld?: number }) =>
      askGateway(context, options, async ({ client, url }) => {
        const body = present({ keepOldForMs: options.keepOld });
        const { key, info } = await client.rotateGatewayKey({ params: { id }, body });
        printKey(context, { key, info, url }, options);
      }),
    );
}

function addRevoke(keys: Command, context: Context): void {
  withGatewayOptions(keys.command("revoke"))
    .argument("<id>", "its id, as list shows it")
    .description("end a key: its next call is refused")
    .addHelpText("after", EXIT_HELP)
    .action((id: string, options: GatewayOptions) =>
      askGateway(context, options, async ({ client }) => {
        const { name } = await client.revokeGatewayKey({ params: { id } });
        context.screen.err(`${plainLine(name, 128)} is revoked.\n`);
      }),
    );
}

function addImport(keys: Command, context: Context): void {
  withGatewayOptions(keys.command("import"))
    .requiredOption("--from <source>", "a file with JSON or an address, or postgres://… itself")
    .description("take over the keys of a LiteLLM, with users, teams and limits; they go on working here")
    .option("--json", "print one JSON object")
    .addHelpText("after", IMPORT_HELP + EXIT_HELP)
    .action(({ from, json, ...options }: JsonOption & { readonly from: string }) =>
      askGateway(context, options, async ({ client }) => {
        const body = await importSource(path.resolve(context.cwd, from), from);
        const done = await client.importGatewayKeys({ body });
        if (json === true) return context.screen.out(`${JSON.stringify(done)}\n`);
        for (const line of done.left) context.screen.out(`${plainLine(line, 500)}\n`);
        context.screen.err(importText(done));
      }),
    );
}

const IMPORT_HELP = `
The JSON has keys, users, teams and budgets, as rows of LiteLLM's tables. Its PostgreSQL is only read, by the server. Other users
of the machine can read command lines: an address with a password is better in a file. Budgets start anew.

Examples:
  handrail keys import --from litellm.json
  handrail keys import --from ~/litellm-address
`;

function importText({ keys, known, users, teams, left }: KeyImported): string {
  const counts = [countText(keys, "key"), countText(users, "user"), countText(teams, "team")].join(", ");
  return `Taken over: ${counts}. Here already: ${countText(known, "key")}. Left: ${countText(left.length, "row")}.\n`;
}

function keyInput(name: string, options: CreateOptions, nowMs: number): KeyInput {
  const { models, budget, period, rpm, tpm, parallel, expires, team, cache, admin } = options;
  return {
    name,
    limits: present({
      budget: budget === undefined ? undefined : { usd: budget, period },
      requestsPerMinute: rpm,
      tokensPerMinute: tpm,
      parallel,
    }),
    ...present({ models: models && [...models], teamId: team, cache, admin }),
    ...(expires === undefined ? {} : { expiresAt: nowMs + expires }),
  };
}

type Made = { readonly key: string; readonly info: KeyInfo; readonly url: string };

/** The key alone goes to stdout, so that a script can take it. */
function printKey({ screen }: Context, { key, info, url }: Made, { json }: JsonOption): void {
  screen.out(`${json === true ? JSON.stringify({ key, id: info.id }) : key}\n`);
  if (json !== true) screen.err(`${info.id}: use it at ${url}/v1. It is not shown again.\n`);
}

/** One key in one line: id, hint, state, spend and limits, name. */
export function keyLine(info: KeyInfo, nowMs: number): string {
  const { id, hint, name, spentUsd, limits } = info;
  const budget = limits.budget === undefined ? "" : ` of ${moneyText(limits.budget.usd)} a ${limits.budget.period}`;
  const spent = `${moneyText(spentUsd)}${limits.budget?.period === "total" ? ` of ${moneyText(limits.budget.usd)}` : budget}`;
  return `${id}  ${hint.padEnd(16)}  ${stateText(info, nowMs).padEnd(12)}  ${spent.padEnd(24)}  ${plainLine(name, 128)}`;
}

function stateText({ revokedAt, expiresAt }: KeyInfo, nowMs: number): string {
  if (revokedAt !== undefined) return "revoked";
  if (expiresAt === undefined) return "active";
  return expiresAt <= nowMs ? "expired" : `for ${durationText(expiresAt - nowMs)}`;
}
