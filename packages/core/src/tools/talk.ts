import { z } from "zod";
import { defineTool, textAnswer } from "./tool.ts";

/** Keeps the plan that the user sees. */
export const tasks = defineTool({
  name: "tasks",
  place: "local",
  parallel: true,
  description: "Set the whole task list that the user sees. For work of three steps or more; keep one task active.",
  schema: z.strictObject({
    tasks: z
      .array(
        z.strictObject({
          title: z.string().min(1).max(200),
          status: z.enum(["pending", "active", "done", "dropped"]),
        }),
      )
      .max(50),
  }),
  answer: (args) => textAnswer("The list is set.", { tasks: args.tasks }),
});

/** Asks the user and ends the run until the answer comes. */
export const ask = defineTool({
  name: "ask",
  place: "local",
  parallel: false,
  description: "Ask the user, when you cannot go on without an answer. Ends your turn.",
  schema: z.strictObject({
    question: z.string().min(1).max(4000),
    choices: z.array(z.string().min(1).max(200)).max(8).optional(),
  }),
  answer: (args) =>
    textAnswer("The question is put to the user; the answer comes as their next message.", {
      question: args.question,
      ...(args.choices === undefined ? {} : { choices: args.choices }),
    }),
});

/** Ends the run with a summary. */
export const finish = defineTool({
  name: "finish",
  place: "local",
  parallel: false,
  description: "End your turn when the task is done, with a short summary for the user.",
  schema: z.strictObject({ summary: z.string().min(1).max(20_000) }),
  answer: (args) => textAnswer(args.summary),
});
