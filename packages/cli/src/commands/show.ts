import { isAsking, shownStatus } from "@handrail/protocol/summary";
import type { Command } from "commander";
import { allEvents } from "../all-events.ts";
import { countText, moneyText } from "../amounts.ts";
import type { Context } from "../context.ts";
import { nextSentence } from "../drive-conversation.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { plainLine } from "../plain-text.ts";
import { askServer } from "../reach-server.ts";
import { RunPrinter } from "../run-printer.ts";

/** `handrail show`: a conversation as it was told when it happened, and how it stands. */
export function addShowCommand(program: Command, context: Context): void {
  program
    .command("show")
    .argument("<id>", "the conversation's id, as list shows it")
    .description("print a conversation and how it stands")
    .addHelpText("after", EXIT_HELP)
    .action(async (id: string) => {
      await askServer(context, ({ client }) => show(context, client, id));
    });
}

async function show(context: Context, client: Parameters<typeof allEvents>[0], id: string): Promise<void> {
  const { screen } = context;
  const row = await client.conversation({ params: { id } });
  const printer = new RunPrinter({ ...screen, live: false });
  screen.out(`${screen.paint("bold", plainLine(row.title, 200))}\n`);
  for await (const events of allEvents(client, id)) for (const stored of events) printer.event(stored);
  printer.end();
  const { files, added, removed } = row.changes;
  const asking = isAsking(row, Date.now());
  screen.out(
    `\n${shownStatus(row, Date.now())}: ${countText(files, "file")} changed (+${added} -${removed}), ${moneyText(row.costUsd)}\n`,
  );
  if (asking) screen.out(`Its sandbox wants to reach what no rule allows. See: handrail asks ${id}\n`);
  const next = row.state === "working" || row.state === "idle" ? undefined : nextSentence(id, row.state);
  if (next !== undefined) screen.out(`${next}\n`);
}
