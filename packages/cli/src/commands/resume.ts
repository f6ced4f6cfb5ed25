import type { Command } from "commander";
import type { Context } from "../context.ts";
import { driveConversation } from "../drive-conversation.ts";
import { type Reached, withServer } from "../reach-server.ts";
import { addOutcomeOptions, limitsOf, type OutcomeOptions } from "../run-options.ts";

/** `handrail resume`: say something more, or go on where a run stopped. */
export function addResumeCommand(program: Command, context: Context): void {
  const command = program
    .command("resume")
    .argument("<id>", "the conversation's id, as list shows it")
    .argument("[message]", "what to say; without it the run goes on where it stopped")
    .description("go on with a conversation: answer a question, say more, or continue after a stop or a limit")
    .action(async (id: string, message: string | undefined, options: OutcomeOptions) => {
      const begin = (server: Reached) => goOn(server, id, message, options);
      await withServer(context, (server) => driveConversation(context, server, begin, options));
    });
  addOutcomeOptions(command);
}

async function goOn(server: Reached, id: string, message: string | undefined, options: OutcomeOptions) {
  const { client } = server;
  const params = { id };
  const runLimits = limitsOf(options);
  const { head, state } = await client.conversation({ params });
  const followed = { conversationId: id, after: head };
  if (message !== undefined) {
    const content = [{ type: "text" as const, text: message }];
    await client.addMessage({ params, body: { content, ...(runLimits === undefined ? {} : { runLimits }) } });
    // A run under way by itself, as after a restart, is simply watched.
  } else if (state !== "working") {
    await client.continueRun({ params, ...(runLimits === undefined ? {} : { body: { runLimits } }) });
  }
  return followed;
}
