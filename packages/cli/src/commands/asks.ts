import { askedPlace } from "@handrail/protocol/asked-place";
import { foldState, type ConversationState } from "@handrail/protocol/conversation-state";
import type { RuleScope } from "@handrail/protocol/network-events";
import { Argument, type Command, Option } from "commander";
import { allEvents } from "../all-events.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP, UsageError } from "../exit-codes.ts";
import { plainLine } from "../plain-text.ts";
import { askServer, type Reached } from "../reach-server.ts";

const ANSWERS = ["once", "here", "always", "deny"] as const;
const SCOPES = ["owner", "repository", "team"] as const satisfies readonly RuleScope[];
type Answer = (typeof ANSWERS)[number];

/** `handrail asks` and `answer`: what sandboxes want to reach and no rule allows. */
export function addAskCommands(program: Command, context: Context): void {
  const { screen } = context;
  program
    .command("asks")
    .argument("<id>", "the conversation's id, as list shows it")
    .description("list what a conversation's sandbox wants to reach and nobody has answered yet")
    .addHelpText("after", EXIT_HELP)
    .action((id: string) =>
      askServer(context, async ({ client }) => {
        const asks = await openAsks(client, id);
        for (const { askId, at, ...asked } of asks) {
          screen.out(`${askId}  ${new Date(at).toISOString()}  ${plainLine(askedPlace(asked), 1000)}\n`);
        }
        if (asks.length === 0) screen.err("Nothing is asked.\n");
      }),
    );
  program
    .command("answer")
    .argument("<id>", "the conversation's id")
    .argument("<ask>", "the ask's id, as asks shows it")
    .addArgument(
      new Argument("<answer>", "once; here: in this conversation; always: by a stored rule; deny").choices(ANSWERS),
    )
    .addOption(new Option("--for <scope>", "for whom always holds (default: owner, all of yours)").choices(SCOPES))
    .description("say whether a sandbox may reach what it asked for")
    .addHelpText("after", EXIT_HELP)
    .action(async (id: string, askId: string, answer: Answer, { for: scope }: { readonly for?: RuleScope }) => {
      if (scope !== undefined && answer !== "always") throw new UsageError("--for goes with the answer always.");
      await askServer(context, async ({ client }) => {
        await client.answerAsk({ params: { id, askId }, body: { answer, ...(scope && { scope }) } });
        screen.err(answer === "deny" ? "It is refused.\n" : "It is allowed.\n");
      });
    });
}

async function openAsks(client: Reached["client"], id: string): Promise<ConversationState["asks"]> {
  let state: ConversationState | null = null;
  for await (const events of allEvents(client, id)) state = foldState(events, state);
  return state?.asks ?? [];
}
