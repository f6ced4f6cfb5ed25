import type { ConversationState } from "@handrail/protocol/conversation-state";
import { NO_TRANSCRIPT } from "@handrail/protocol/transcript";
import { expect, test } from "vitest";
import { openQuestion } from "./open-question.ts";

const standing = (outcome: string) =>
  ({ run: null, unread: 0, lastRun: { outcome, detail: "It went in circles." } }) as unknown as ConversationState;

test("a run that was stopped because it went in circles can be answered, or go on", () => {
  expect(openQuestion(standing("asked"), NO_TRANSCRIPT)).toEqual({
    question: "It went in circles.",
    choices: [],
    stopped: true,
  });
  expect(openQuestion(standing("done"), NO_TRANSCRIPT)).toBeNull();
});
