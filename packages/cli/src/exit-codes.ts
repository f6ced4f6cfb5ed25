import type { ConversationStatus } from "@handrail/protocol/summary";

/** How `handrail` ends. */
export const EXIT = { done: 0, failed: 1, usage: 2, limited: 3, interrupted: 130 } as const;

const BY_STATUS: Readonly<Record<ConversationStatus, number>> = {
  done: EXIT.done,
  idle: EXIT.done,
  working: EXIT.failed,
  asked: EXIT.failed,
  failed: EXIT.failed,
  limited: EXIT.limited,
  cancelled: EXIT.interrupted,
};

/** The exit code for how a run ended. A question is a failure to finish alone: a script must not take it for done. */
export function exitCodeOf(status: ConversationStatus): number {
  return BY_STATUS[status];
}

/** The part of every command's help that says what its exit code means. */
export const EXIT_HELP = `
Exit codes:
  0    done
  1    failed, or the agent asks something (answer with: handrail resume ID "your answer")
  2    the command line, or what it names, is wrong
  3    a limit was reached (go on with: handrail resume ID)
  130  interrupted
`;

/** The command line is wrong. The message says what to give instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
