import type { Context, ContextMessage } from "./context.ts";

const CHARACTERS_PER_TOKEN = 3.5;
const IMAGE_CHARACTERS = 1500 * CHARACTERS_PER_TOKEN;

/**
 * Guesses a prompt's size from its characters, corrected by what the provider counted last time. Counts each message
 * once, so a guess costs no more in a long conversation than in a short one.
 */
export type TokenEstimate = {
  /** Tokens of a prompt made of this context; `fixedCharacters` are the system prompt and the tools. */
  guess(context: Context, fixedCharacters: number): number;
  /** What the provider said the latest guessed prompt was. */
  learn(inputTokens: number): void;
};

export function tokenEstimate(): TokenEstimate {
  let counted = 0;
  let characters = 0;
  let latest = 0;
  let ratio = 1 / CHARACTERS_PER_TOKEN;
  return {
    guess(context, fixedCharacters) {
      for (; counted < context.messages.length; counted++) {
        const message = context.messages[counted];
        if (message !== undefined) characters += sizeOf(message);
      }
      latest = characters + fixedCharacters;
      return Math.ceil(latest * ratio);
    },
    learn(inputTokens) {
      if (latest > 0 && inputTokens > 0) ratio = inputTokens / latest;
    },
  };
}

/** Characters of a text in tokens, uncorrected. */
export const tokensOf = (characters: number): number => Math.ceil(characters / CHARACTERS_PER_TOKEN);

function sizeOf(message: ContextMessage): number {
  let size = 16;
  for (const part of message.content) {
    if (part.type === "image") size += IMAGE_CHARACTERS;
    else if (part.type === "call") size += part.tool.length + part.arguments.length;
    else size += part.text.length;
  }
  return size;
}
