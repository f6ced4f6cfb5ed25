import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { ReusedSetup } from "@handrail/protocol/setup";
import type { Sandbox } from "./sandbox.ts";

/** What a set-up runs, and how people see it. */
export type SetupCommand = { readonly command: string; readonly shown: string };

/** The results of set-ups, kept so that later conversations of the same owner on the same repository start with them. */
export type SetupCache = {
  /**
   * Looks at a new workspace before its set-up.
   * @throws AppError of the checkpoint store or the sandbox; the set-up then goes on without a cache
   */
  open(state: ConversationState, sandbox: Sandbox, command: SetupCommand, signal: AbortSignal): Promise<OpenedSetup>;
};

/** A set-up that has not run yet. */
export type OpenedSetup = {
  /**
   * Puts the result of an earlier one into the workspace, which is as it was when it fails.
   * @returns undefined when none fits
   */
  reuse(signal: AbortSignal): Promise<ReusedSetup | undefined>;
  /** Keeps what the set-up has made, now that it has ended well. Undefined: it is kept; else why not, a sentence. */
  keep(ranMs: number, signal: AbortSignal): Promise<string | undefined>;
};
