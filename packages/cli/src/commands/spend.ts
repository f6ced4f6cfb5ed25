import type { SpendRow } from "@handrail/protocol/gateway";
import { type Command, Option } from "commander";
import { countText, moneyText } from "../amounts.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { parseDuration } from "../parse-values.ts";
import { plainLine } from "../plain-text.ts";
import { askGateway, type GatewayOptions, withGatewayOptions } from "../reach-gateway.ts";
import { valued } from "../run-options.ts";

const GROUPS = ["day", "model", "key", "user", "team", "conversation"] as const;

type SpendOptions = GatewayOptions & {
  readonly by: (typeof GROUPS)[number];
  readonly since: number;
  readonly csv?: boolean;
  readonly json?: boolean;
};

const MONTH_MS = 30 * 86_400_000;

/** `handrail spend`: what models have cost, by day, model, key, user, team or conversation. */
export function addSpendCommand(program: Command, context: Context): void {
  withGatewayOptions(program.command("spend"))
    .description("what models have cost")
    .addOption(new Option("--by <group>", "what to sum by").choices([...GROUPS]).default("model"))
    .option(
      "--since <time>",
      "how far back, in whole days (UTC), such as 7d; 30d at most",
      valued(parseDuration),
      MONTH_MS,
    )
    .option("--csv", "print comma-separated values")
    .option("--json", "print one JSON object a line")
    .addHelpText("after", EXIT_HELP)
    .action(({ by, since, csv, json, ...options }: SpendOptions) =>
      askGateway(context, options, async ({ client }) => {
        const { screen } = context;
        const query = { by, from: Date.now() - since };
        if (csv === true) return screen.out(await (await client.gatewaySpendCsv({ query })).text());
        const { rows } = await client.gatewaySpend({ query });
        for (const row of rows) screen.out(`${json === true ? JSON.stringify(row) : spendLine(row)}\n`);
        if (json !== true) screen.err(totalText(rows));
      }),
    );
}

/** One sum in one line: cost, calls, tokens in and out, and what it is the sum of. */
export function spendLine({ label, costUsd, calls, promptTokens, answerTokens }: SpendRow): string {
  const tokens = `${promptTokens.toLocaleString("en-US")} in, ${answerTokens.toLocaleString("en-US")} out`;
  const name = label === "" ? "none" : plainLine(label, 200);
  return `${moneyText(costUsd).padStart(10)}  ${countText(calls, "call").padEnd(14)}  ${tokens.padEnd(32)}  ${name}`;
}

function totalText(rows: readonly SpendRow[]): string {
  if (rows.length === 0) return "Nothing was asked of a model in this time.\n";
  const sum = (name: "costUsd" | "calls" | "unpriced") => rows.reduce((total, row) => total + row[name], 0);
  const unpriced = sum("unpriced") === 0 ? "" : `, ${countText(sum("unpriced"), "call")} of unknown price not counted`;
  return `${moneyText(sum("costUsd"))} for ${countText(sum("calls"), "call")}${unpriced}\n`;
}
