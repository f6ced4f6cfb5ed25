import type { StoredEvent } from "@handrail/protocol/events";
import type { RunOutcome } from "@handrail/protocol/run-events";
import type { Context } from "./context.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { type Followed, followRun, type Listener } from "./follow-run.ts";
import type { Reached } from "./reach-server.ts";
import { RunPrinter } from "./run-printer.ts";
import type { OutcomeOptions } from "./run-options.ts";
import { takeResult } from "./take-result.ts";

/** Starts something on a server that ends with a run, and says which conversation to follow. */
export type Begin = (server: Reached) => Promise<Followed>;

/** Follows a run to its end, takes its result out, and sets the exit code. */
export async function driveConversation(
  context: Context,
  server: Reached,
  begin: Begin,
  options: OutcomeOptions,
): Promise<void> {
  const followed = await begin(server);
  const printer = options.json === true ? undefined : new RunPrinter(context.screen);
  const listener = printer ?? jsonLines(context);
  const { signal } = context.interrupts;
  const ended = await followRun(server, followed, listener, signal).finally(() => printer?.end());
  await tellResult(context, server, { id: followed.conversationId, outcome: ended.outcome, options });
  context.exit(signal.aborted ? EXIT.interrupted : exitCodeOf(ended.outcome));
}

type Ending = { readonly id: string; readonly outcome: RunOutcome; readonly options: OutcomeOptions };

async function tellResult(context: Context, server: Reached, { id, outcome, options }: Ending): Promise<void> {
  const say = (text: string) => (options.json === true ? context.screen.err(text) : context.screen.out(text));
  const choice = { apply: options.apply ?? false, output: options.output, cwd: context.cwd };
  say(`${await takeResult(server.client, id, choice, outcome === "done")}\n`);
  const next = nextSentence(id, outcome);
  if (next !== undefined) say(`${next}\n`);
}

function jsonLines(context: Context): Listener {
  return {
    event: (stored: StoredEvent) => context.screen.out(`${JSON.stringify(stored)}\n`),
    delta: () => {},
  };
}

/** What a person may do after a run that did not end by itself. */
export function nextSentence(id: string, outcome: string): string | undefined {
  if (outcome === "done") return undefined;
  if (outcome === "asked") return `Answer with: handrail resume ${id} "your answer"`;
  return `Go on with: handrail resume ${id}`;
}
