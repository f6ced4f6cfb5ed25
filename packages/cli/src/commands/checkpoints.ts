import type { Command } from "commander";
import { countText } from "../amounts.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { plainLine } from "../plain-text.ts";
import { askServer } from "../reach-server.ts";
import { addDiff, WHICH } from "./diff.ts";

/** What a person wrote to name a checkpoint. */
const which = (text: string) => (/^\d{1,15}$/.test(text) ? { seq: Number(text) } : { checkpointId: text });

/** `handrail checkpoints`, `diff`, `restore` and `fork`: files of a workspace as they were. */
export function addCheckpointCommands(program: Command, context: Context): void {
  const { screen } = context;
  program
    .command("checkpoints")
    .argument("<id>", "the conversation's id, as list shows it")
    .description("list the checkpoints of a conversation's files, latest first")
    .addHelpText("after", EXIT_HELP)
    .action((id: string) =>
      askServer(context, async ({ client }) => {
        const { checkpoints } = await client.checkpoints({ params: { id } });
        if (checkpoints.length === 0) screen.err("There is none yet. One is made after each run.\n");
        for (const { checkpointId, at, reason, files, leftOutCount, asOf } of checkpoints) {
          const left = leftOutCount === 0 ? "" : `, ${leftOutCount} left out`;
          screen.out(
            `${checkpointId}  ${new Date(at).toISOString()}  ${reason}  event ${asOf}  ${countText(files, "file")}${left}\n`,
          );
        }
      }),
    );
  addDiff(program, context);
  addRestore(program, context);
  addFork(program, context);
}

function addRestore(program: Command, context: Context): void {
  const { screen } = context;
  program
    .command("restore")
    .argument("<id>", "the conversation's id")
    .argument("<checkpoint>", WHICH)
    .description("make a conversation's files what they were at a checkpoint; what they are now is kept as another")
    .addHelpText("after", EXIT_HELP)
    .action((id: string, checkpointId: string) =>
      askServer(context, async ({ client }) => {
        const done = await client.restoreCheckpoint({ params: { id }, body: which(checkpointId) });
        screen.out(`Files as of event ${done.asOf} (${done.checkpointId}). `);
        screen.out(`${countText(done.written, "file")} written, ${done.removed} removed.\n`);
        for (const path of done.failed) screen.err(`Not restored: ${plainLine(path, 300)}\n`);
        screen.out(`To go back: handrail restore ${id} ${done.undo}\n`);
      }),
    );
}

function addFork(program: Command, context: Context): void {
  const { screen } = context;
  program
    .command("fork")
    .argument("<id>", "the conversation's id")
    .argument("[checkpoint]", `${WHICH}; the latest when absent`)
    .argument("[task]", "what the agent shall do there")
    .description("start a new conversation with the files of a checkpoint")
    .addHelpText("after", EXIT_HELP)
    .action((id: string, checkpointId: string | undefined, task: string | undefined) =>
      askServer(context, async ({ client }) => {
        const body = {
          ...(checkpointId === undefined ? {} : which(checkpointId)),
          ...(task === undefined ? {} : { content: [{ type: "text" as const, text: task }] }),
        };
        const fork = await client.forkConversation({ params: { id }, body });
        screen.out(`${fork.id}  ${plainLine(fork.title, 200)}\n`);
        screen.err(`Files as of event ${fork.forkedFrom.asOf} (${fork.forkedFrom.checkpointId}).\n`);
      }),
    );
}
