import { createContext, Script } from "node:vm";
import { AppError } from "@handrail/protocol/errors";
import type { Span } from "./find-secrets.ts";

/** Patterns of one's own. */
export type ConfiguredPatterns = {
  find(text: string): readonly Span[];
  /**
   * Does the work, in which `find` is called, and ends it when it takes too long: an expression may take for ever on some text.
   * @throws AppError `redaction_failed`
   */
  inTime<Result>(work: () => Result): Result;
};

const MAX_PATTERNS = 50;
const MAX_LENGTH = 500;
const MAX_MS = 500;
/** Images and files: one word without an end. */
const BASE64 = /^(?:data:[a-z0-9.+/;=-]{0,100},)?[A-Za-z0-9+/_-]{4096}/i;

/**
 * Regular expressions, one a line; empty lines and those that begin with `#` do not count.
 * @param source such as a file's name, for messages
 * @throws AppError `config_invalid`
 */
export function configuredPatterns(lines: string, source: string, maxMs = MAX_MS): ConfiguredPatterns | undefined {
  const patterns = lines
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trim(), where: `Line ${index + 1} of ${source}` }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
  if (patterns.length > MAX_PATTERNS) throw invalid(`${source} has more than ${MAX_PATTERNS} patterns.`);
  const expressions = patterns.map(({ text, where }) => expressionOf(text, where));
  if (expressions.length === 0) return undefined;
  return {
    find: (text) => (BASE64.test(text) ? [] : expressions.flatMap((expression) => spansOf(expression, text))),
    inTime: (work) => inTime(work, maxMs),
  };
}

function expressionOf(text: string, where: string): RegExp {
  if (text.length > MAX_LENGTH) throw invalid(`${where} is longer than ${MAX_LENGTH} characters.`);
  const expression = compiled(text, where);
  if (expression.test("")) throw invalid(`${where} matches nothing at all: it would be found everywhere.`);
  expression.lastIndex = 0;
  return expression;
}

function compiled(text: string, where: string): RegExp {
  try {
    return new RegExp(text, "gu");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new AppError("config_invalid", `${where} is no regular expression: ${reason}.`, {}, { cause });
  }
}

function spansOf(expression: RegExp, text: string): readonly Span[] {
  const found = Array.from(text.matchAll(expression), ({ index, 0: { length } }) => ({
    from: index,
    to: index + length,
  }));
  return found.filter(({ from, to }) => to > from).map((span) => ({ ...span, name: "pattern" }));
}

const RUN = new Script("run()");

/** Only the virtual machine can end an expression that is at work. */
function inTime<Result>(work: () => Result, timeout: number): Result {
  const results: Result[] = [];
  try {
    RUN.runInContext(createContext({ run: () => void results.push(work()) }), { timeout });
  } catch (cause) {
    if (!isTimeout(cause)) throw cause;
    throw new AppError(
      "redaction_failed",
      "The configured patterns took too long for this request, so it was not sent. Simplify the patterns.",
      {},
      { cause },
    );
  }
  return results[0] as Result;
}

/** The error is of the other context: it is no instance of this one's `Error`. */
const isTimeout = (thrown: unknown) =>
  typeof thrown === "object" && thrown !== null && "code" in thrown && thrown.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";

const invalid = (message: string) => new AppError("config_invalid", message);
