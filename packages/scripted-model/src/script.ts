import { AppError } from "@handrail/protocol/errors";
import { z } from "zod";

const Milliseconds = z.number().int().nonnegative().max(3_600_000);
const Bytes = z.number().int().nonnegative();

/**
 * What goes wrong with one attempt at a turn.
 *
 * `status` answers with an error (the dialect's own body unless `body` is given). `stall` sends headers and
 * `afterBytes` of the answer, is silent for `ms`, and then goes on. `cut` drops the connection after `afterBytes` of
 * the answer. `streamError` sends the dialect's error event after `afterEvents` others and ends. `garbage` streams events that
 * are not JSON. `trickle` sends the right answer at one byte per millisecond. `refused` drops the connection unanswered.
 * `html` answers 200 with a web page.
 */
export const Fault = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("status"),
    status: z.number().int().min(300).max(599),
    retryAfterSeconds: z.number().nonnegative().optional(),
    body: z.string().optional(),
    message: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("stall"), ms: Milliseconds, afterBytes: Bytes.optional() }),
  z.strictObject({ type: z.literal("cut"), afterBytes: Bytes }),
  z.strictObject({ type: z.literal("streamError"), afterEvents: Bytes.optional(), message: z.string().optional() }),
  z.strictObject({ type: z.literal("garbage") }),
  z.strictObject({ type: z.literal("trickle") }),
  z.strictObject({ type: z.literal("refused") }),
  z.strictObject({ type: z.literal("html") }),
]);
export type Fault = z.infer<typeof Fault>;

/** A tool call. `rawArguments` is sent as it is, for arguments that are not valid JSON; it wins over `arguments`. */
export const ScriptedCall = z.strictObject({
  tool: z.string().min(1),
  arguments: z.record(z.string(), z.json()).optional(),
  rawArguments: z.string().optional(),
});
export type ScriptedCall = z.infer<typeof ScriptedCall>;

/**
 * Tokens of an answer. `inputTokens` is the whole prompt, `outputTokens` the whole answer; the others are parts of these,
 * and `cacheWriteHourTokens` is the part of `cacheWriteTokens` that is kept for an hour.
 */
export const ScriptedUsage = z.strictObject({
  inputTokens: Bytes.optional(),
  outputTokens: Bytes.optional(),
  cacheReadTokens: Bytes.optional(),
  cacheWriteTokens: Bytes.optional(),
  cacheWriteHourTokens: Bytes.optional(),
  reasoningTokens: Bytes.optional(),
  inputAudioTokens: Bytes.optional(),
  outputAudioTokens: Bytes.optional(),
});
export type ScriptedUsage = z.infer<typeof ScriptedUsage>;

/**
 * One answer. In texts and arguments `{{turn}}` becomes the turn's number, counted from 1.
 *
 * `usage` that is left out is a quarter of the characters of request and answer. `finish` is `calls` when there are
 * calls, else `stop`. `delayMs` passes before the first byte, `chunkDelayMs` between the streamed fragments of
 * `chunkSize` characters (default 16). `headers` come with the answer, such as `x-litellm-response-cost`. `faults` are played first, one per attempt of a conversation at this turn.
 */
export const Turn = z.strictObject({
  reasoning: z.string().optional(),
  text: z.string().optional(),
  calls: z.array(ScriptedCall).optional(),
  usage: ScriptedUsage.optional(),
  headers: z.record(z.string().regex(/^[a-z0-9-]+$/), z.string()).optional(),
  finish: z.enum(["stop", "calls", "length", "refusal"]).optional(),
  delayMs: Milliseconds.optional(),
  chunkDelayMs: Milliseconds.optional(),
  chunkSize: z.number().int().positive().optional(),
  faults: z.array(Fault).optional(),
});
export type Turn = z.infer<typeof Turn>;

/**
 * What a scripted model says. A request's turn is the number of assistant messages in its history, so the model keeps
 * no state and a resumed run gets the right turn. `otherwise` is played after the last turn. `name` is the model's name.
 */
export const Script = z.strictObject({
  name: z.string().min(1),
  turns: z.array(Turn),
  otherwise: Turn.optional(),
});
export type Script = z.infer<typeof Script>;

/** A script from its JSON text. @throws AppError `config_invalid`, saying which field is wrong */
export function parseScript(text: string): Script {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError("config_invalid", "The script is not valid JSON.", {}, { cause });
  }
  const parsed = Script.safeParse(value);
  if (!parsed.success) throw new AppError("config_invalid", `The script is wrong: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

const NOTHING_MORE: Turn = { text: "The script is over." };

/** The turn that answers a request whose history holds `assistantMessages` answers. */
export function turnAt(script: Script, assistantMessages: number): Turn {
  return script.turns[assistantMessages] ?? script.otherwise ?? NOTHING_MORE;
}

/** A script of `steps` equal turns, each with one call (`{{turn}}` tells them apart), and then `last`. */
export function repeatScript(repeat: {
  readonly steps: number;
  readonly call: ScriptedCall;
  readonly name?: string;
  readonly last?: Turn;
}): Script {
  return {
    name: repeat.name ?? "repeat",
    turns: Array.from({ length: repeat.steps }, () => ({ calls: [repeat.call] })),
    otherwise: repeat.last ?? { text: "Done." },
  };
}
