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
  return `${names[field] ?? (capital(field) || "The form")}: ${issue === undefined ? "is wrong" : wordsOf(issue)}`;
}

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

/** In words, where a schema has none of its own. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "too_big") return tooBig(issue);
  if (issue.code === "too_small") return tooSmall(issue);
  if (issue.code === "invalid_type" && issue.expected === "number") return "must be a number";
  return issue.message;
}

const tooBig = ({ origin, maximum }: z.core.$ZodIssueTooBig) =>
  origin === "string" ? `must have at most ${maximum} characters` : `must be at most ${maximum}`;

function tooSmall({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): string {
  if (origin === "string") return minimum === 1 ? "is needed" : `must have at least ${minimum} characters`;
  return `must be ${inclusive === true ? "at least" : "more than"} ${minimum}`;
}
