import type { Command } from "commander";
import { type ConversationSummary, isAsking, shownStatus } from "@handrail/protocol/summary";
import { sourceLabel } from "@handrail/protocol/source-label";
import { minuteText, moneyText } from "../amounts.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { plainLine } from "../plain-text.ts";
import { askServer } from "../reach-server.ts";

type ListOptions = { readonly search?: string; readonly archived?: boolean; readonly json?: boolean };

/** `handrail list`: the conversations, latest first. */
export function addListCommand(program: Command, context: Context): void {
  program
    .command("list")
    .description("list conversations, latest first")
    .option("--search <text>", "only those whose title or source has this text")
    .option("--archived", "the archived ones")
    .option("--json", "print one JSON object a line")
    .addHelpText("after", EXIT_HELP)
    .action(async (options: ListOptions) => {
      const rows = await askServer(context, ({ client }) =>
        allPages((after) =>
          client.conversations({
            query: {
              limit: 200,
              archived: options.archived === true ? "true" : "false",
              ...(options.search === undefined ? {} : { search: options.search }),
              ...(after === null ? {} : { after }),
            },
          }),
        ),
      );
      const line = (row: ConversationSummary) =>
        options.json === true ? JSON.stringify(row) : listLine(row, Date.now());
      for (const row of rows) context.screen.out(`${line(row)}\n`);
      if (rows.length === 0) context.screen.err("There are no conversations here.\n");
    });
}

type Page = { readonly conversations: readonly ConversationSummary[]; readonly next: string | null };

async function allPages(page: (after: string | null) => Promise<Page>): Promise<ConversationSummary[]> {
  const rows: ConversationSummary[] = [];
  let after: string | null = null;
  do {
    const { conversations, next }: Page = await page(after);
    rows.push(...conversations);
    after = next;
  } while (after !== null);
  return rows;
}

/** One conversation in one line: id, state, day and local time, cost, title, source, and what its sandbox waits for. */
function listLine(row: ConversationSummary, nowMs: number): string {
  const title = `${plainLine(row.title, 60)}  (${plainLine(sourceLabel(row.source), 60)})`;
  const asks = isAsking(row, nowMs) ? `  network: handrail asks ${row.id}` : "";
  const facts = [
    row.id,
    shownStatus(row, nowMs).padEnd(9),
    minuteText(row.updatedAt),
    moneyText(row.costUsd).padStart(8),
  ];
  return `${facts.join("  ")}  ${title}${asks}`;
}
