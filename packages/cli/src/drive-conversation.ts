import { AppError, toAppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import type { RunOutcome } from "@handrail/protocol/run-events";
import type { Context } from "./context.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { type Followed, followRun, type Listener } from "./follow-run.ts";
import { plainText } from "./plain-text.ts";
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
  const taken = await tellResult(context, server, { id: followed.conversationId, outcome: ended.outcome, options });
  context.exit(signal.aborted ? EXIT.interrupted : taken ? exitCodeOf(ended.outcome) : EXIT.failed);
}

type Ending = { readonly id: string; readonly outcome: RunOutcome; readonly options: OutcomeOptions };

/** False when the run is done and its result could not be taken out. */
async function tellResult(context: Context, server: Reached, { id, outcome, options }: Ending): Promise<boolean> {
  const say = (text: string) => (options.json === true ? context.screen.err(text) : context.screen.out(text));
  const choice = { apply: options.apply ?? false, output: options.output, cwd: context.cwd };
  const done = outcome === "done";
  const result = await takeResult(server.client, id, choice, done).catch((thrown: unknown) => toAppError(thrown));
  const lost = result instanceof AppError;
  if (lost) context.screen.err(`The changes could not be taken out: ${plainText(result.message)} (${result.code})\n`);
  else say(`${result}\n`);
  const next = nextSentence(id, outcome);
  if (next !== undefined) say(`${next}\n`);
  return !(done && lost);
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
