import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Client } from "@handrail/client/create-client";
import { applyTranscript, NO_TRANSCRIPT } from "@handrail/protocol/transcript";
import { type Command, Option } from "commander";
import { allEvents } from "../all-events.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { markdown } from "../markdown.ts";
import { askServer } from "../reach-server.ts";

type Format = "jsonl" | "markdown";

/** `handrail export`: a conversation's whole log, for programs or for people. */
export function addExportCommand(program: Command, context: Context): void {
  program
    .command("export")
    .argument("<id>", "the conversation's id, as list shows it")
    .description("print a conversation's log: every event as JSON Lines, or a Markdown document")
    .addOption(new Option("--format <format>", "how").choices(["jsonl", "markdown"]).default("jsonl"))
    .option("--output <file>", "write it there instead of stdout")
    .addHelpText("after", EXIT_HELP)
    .action(async (id: string, options: { readonly format: Format; readonly output?: string }) => {
      const text = await askServer(context, ({ client }) => exported(client, id, options.format));
      if (options.output === undefined) context.screen.out(text);
      else writeFileSync(path.resolve(context.cwd, options.output), text);
    });
}

async function exported(client: Client, id: string, format: Format): Promise<string> {
  const summary = await client.conversation({ params: { id } });
  let transcript = NO_TRANSCRIPT;
  let lines = "";
  for await (const events of allEvents(client, id)) {
    if (format === "jsonl") lines += events.map((stored) => `${JSON.stringify(stored)}\n`).join("");
    else transcript = applyTranscript(transcript, events);
  }
  return format === "jsonl" ? lines : markdown(summary, transcript);
}
