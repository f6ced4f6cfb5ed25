import { z } from "zod";
import { ListeningPort } from "./sandboxd/operations.ts";

/**
 * A live-only fragment: never stored, never replayed. The event that ends a step or a call holds the whole value, so
 * a client that missed deltas has missed nothing. `offset` is where the fragment begins (UTF-16 units for text,
 * bytes for output), so that a client can drop repeats and see gaps.
 */
export const Delta = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text.delta"), stepId: z.string(), offset: z.number(), text: z.string() }),
  z.strictObject({ type: z.literal("reasoning.delta"), stepId: z.string(), offset: z.number(), text: z.string() }),
  /** A call is being written by the model: its tool, and the arguments so far. */
  z.strictObject({
    type: z.literal("arguments.delta"),
    stepId: z.string(),
    callId: z.string(),
    tool: z.string(),
    offset: z.number(),
    text: z.string(),
  }),
  /** An attempt was given up: what was streamed of this step is void. */
  z.strictObject({ type: z.literal("step.reset"), stepId: z.string() }),
  z.strictObject({ type: z.literal("output.delta"), callId: z.string(), offset: z.number(), text: z.string() }),
  /** What is being waited for before or between steps ("Pulling image, 41 of 96 MB"). Empty text: nothing. */
  z.strictObject({ type: z.literal("progress.delta"), text: z.string() }),
  /** The ports that programs in the sandbox listen on, all of them each time. */
  z.strictObject({ type: z.literal("ports.delta"), ports: z.array(ListeningPort) }),
]);
export type Delta = z.infer<typeof Delta>;
