import { z } from "zod";
import { bytesOf, millisecondsOf } from "./measures.ts";
import { truthOf } from "./truth-of.ts";

const fail = (context: z.RefinementCtx<string>, message: string) => {
  context.addIssue({ code: "custom", message, input: context.value });
  return z.NEVER;
};

/** A size as `512m` or `4g` (powers of 1,024), in bytes. */
export const SizeText = z
  .string()
  .transform((text, context) => bytesOf(text) ?? fail(context, "must be a size such as 512m or 4g"));

/** A time as `90s`, `30m`, `2h` or `1d`, in milliseconds. */
export const TimeText = z
  .string()
  .transform((text, context) => millisecondsOf(text) ?? fail(context, "must be a time such as 90s, 30m or 2h"));

/** `true`, `false`, `1`, `0`, `yes`, `no`, `on` or `off`, in any case. */
export const BooleanText = z
  .string()
  .transform((text, context) => truthOf(text) ?? fail(context, "must be true or false"));
