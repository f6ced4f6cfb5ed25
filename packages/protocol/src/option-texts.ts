import { z } from "zod";
import { truthOf } from "./truth-of.ts";

const fail = (context: z.RefinementCtx<string>, message: string) => {
  context.addIssue({ code: "custom", message, input: context.value });
  return z.NEVER;
};

const BYTES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** A size as `512m` or `4g` (powers of 1,024), in bytes. */
export const SizeText = z.string().transform((text, context) => {
  const match = /^(\d+)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const unit = BYTES[match?.[2]?.toLowerCase() ?? ""];
  const bytes = Number(match?.[1]) * (unit ?? Number.NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : fail(context, "must be a size such as 512m or 4g");
});

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as `90s`, `30m`, `2h` or `1d`, in milliseconds. */
export const TimeText = z.string().transform((text, context) => {
  const match = /^(\d+)\s*([smhd])$/i.exec(text.trim());
  const milliseconds = Number(match?.[1]) * (MILLISECONDS[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN);
  return milliseconds > 0 ? milliseconds : fail(context, "must be a time such as 90s, 30m or 2h");
});

/** `true`, `false`, `1`, `0`, `yes`, `no`, `on` or `off`, in any case. */
export const BooleanText = z
  .string()
  .transform((text, context) => truthOf(text) ?? fail(context, "must be true or false"));
