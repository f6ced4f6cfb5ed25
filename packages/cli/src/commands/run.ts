import type { WorkspaceSource } from "@handrail/protocol/sources";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { driveConversation } from "../drive-conversation.ts";
import { UsageError } from "../exit-codes.ts";
import { findSource } from "../find-source.ts";
import { type Reached, withServer } from "../reach-server.ts";
import { present } from "../present.ts";
import { addOutcomeOptions, addPlaceOptions, limitsOf, type RunOptions, setupOf } from "../run-options.ts";

/** `handrail run`: a task in, a changed tree out. */
export function addRunCommand(program: Command, context: Context): void {
  const command = program
    .command("run")
    .argument("<task>", "what to do, in words")
    .description("let an agent work on a task in a sandbox, and take its changes as a patch")
    .action(async (task: string, options: RunOptions) => {
      const body = requestBody(task, options, context.cwd);
      const begin = async (server: Reached) => {
        const conversation = await server.client.createConversation({ body });
        return { conversationId: conversation.id, after: -1 };
      };
      // A server allows sandboxes without isolation only when it is told so; here the user has just said it.
      const serverOptions = options.sandbox === "none" ? ["--sandbox", "none"] : [];
      await withServer({ ...context, serverOptions }, (server) => driveConversation(context, server, begin, options));
    });
  addOutcomeOptions(addPlaceOptions(command));
}

/** The body that creates the conversation which the command line asks for. @throws UsageError */
export function requestBody(task: string, options: RunOptions, cwd: string) {
  if (task.trim() === "") throw new UsageError('Say what to do: handrail run "fix the failing test"');
  const source = findSource(options.repo, options.branch, cwd);
  if (options.apply === true) checkApply(options, source);
  return {
    source,
    content: [{ type: "text" as const, text: task }],
    sandbox: present({
      backend: options.sandbox,
      image: options.image,
      profile: options.profile,
      network: options.network,
    }),
    ...present({ model: options.model, teamId: options.team, runLimits: limitsOf(options), setup: setupOf(options) }),
  };
}

function checkApply(options: RunOptions, source: WorkspaceSource): void {
  if (source.type !== "folder") {
    throw new UsageError("--apply needs a folder as --repo, without --branch. Leave it out to get a patch.");
  }
  if (options.output !== undefined) {
    throw new UsageError("Give either --apply or --output: the result is applied, or written as a patch.");
  }
}
