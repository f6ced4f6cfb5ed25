import type { Client } from "@handrail/client/create-client";
import type { Command } from "commander";
import { countText } from "../amounts.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { lineDiff } from "../line-diff.ts";
import { plainLine, plainText } from "../plain-text.ts";
import { askServer } from "../reach-server.ts";
import type { Screen } from "../screen.ts";

/** How a checkpoint is named on a command line. */
export const WHICH = "the checkpoint's id, as checkpoints shows it, or an event's number: the newest at or before it";

type Rest = [path: string | undefined, options: { readonly git?: boolean }];

/** `handrail diff`: what differs between two checkpoints. */
export function addDiff(program: Command, context: Context): void {
  program
    .command("diff")
    .argument("<id>", "the conversation's id")
    .argument("<from>", WHICH)
    .argument("<to>", "the same")
    .argument("[path]", "a file, whose lines are shown")
    .option("--git", "list files of git's own too, which are in .git")
    .description("list the files that differ between two checkpoints, or show how one of them does")
    .addHelpText("after", EXIT_HELP)
    .action((id: string, from: string, to: string, ...[path, { git }]: Rest) =>
      askServer(context, async ({ client }) => {
        const params = { id };
        const query = { from, to, ...(git === true && { git: "true" as const }) };
        if (path === undefined) printChanges(context.screen, await client.checkpointChanges({ params, query }));
        else await printFile(context.screen, path, await client.checkpointFile({ params, query: { from, to, path } }));
      }),
    );
}

type Answer<Name extends "checkpointChanges" | "checkpointFile"> = Awaited<ReturnType<Client[Name]>>;

function printChanges(screen: Screen, found: Answer<"checkpointChanges">): void {
  for (const { status, path, oldPath } of found.changes) {
    const was = oldPath === undefined ? "" : `${plainLine(oldPath, 1000)} -> `;
    screen.out(`${status.padEnd(8)}  ${was}${plainLine(path, 1000)}\n`);
  }
  const more = found.more ? ", and more" : "";
  const git = found.leftOut === 0 ? "" : ` In .git ${countText(found.leftOut, "file")} more (--git).`;
  const { from, to } = found;
  screen.err(`${countText(found.changes.length, "file")}${more}, from event ${from.asOf} to ${to.asOf}.${git}\n`);
}

async function printFile(
  screen: Screen,
  path: string,
  { before, after, binary }: Answer<"checkpointFile">,
): Promise<void> {
  if (before === null && after === null)
    return screen.err("There is no such file in either, or it is too large to show.\n");
  if (binary) return screen.err("The file is binary; its difference has no lines.\n");
  const [old, now] = [before, after].map((text) => Buffer.from(text ?? "", "base64"));
  const hunks = await lineDiff(old ?? Buffer.of(), now ?? Buffer.of());
  if (hunks === "") return screen.err("Its lines are the same in both.\n");
  const name = (side: string, text: string | null) =>
    text === null ? "/dev/null" : `${side}/${plainLine(path, 1000)}`;
  screen.out(`--- ${name("a", before)}\n+++ ${name("b", after)}\n${plainText(hunks)}`);
}
