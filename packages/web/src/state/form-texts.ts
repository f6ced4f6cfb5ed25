import type { z } from "zod";

/** Texts of a form without the empty ones, trimmed. */
export function given(texts: Readonly<Record<string, string>>): Record<string, string> {
  const trimmed = Object.entries(texts).map(([name, text]) => [name, text.trim()] as const);
  return Object.fromEntries(trimmed.filter(([, text]) => text !== ""));
}

/** What was given, as numbers. What is none becomes NaN, which no schema takes. */
export function givenNumbers(texts: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(Object.entries(given(texts)).map(([name, text]) => [name, Number(text)]));
}

/** What a schema found first, as a sentence that begins with the field's name. */
export function firstIssue(error: z.ZodError, names: Readonly<Record<string, string>> = {}): string {
  const issue = error.issues[0];
  const field = String(issue?.path.at(-1) ?? "");
  return `${names[field] ?? (field || "The form")}: ${issue?.message ?? "is wrong"}`;
}
