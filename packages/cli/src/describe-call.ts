import { textOf } from "@handrail/protocol/content";
import type { EventOf } from "@handrail/protocol/events";
import { countText } from "./amounts.ts";
import { plainLine } from "./plain-text.ts";

/** A call in a few words: `$ npm test`, `edit src/main.ts`. `argumentsText` is the model's own and may be no JSON. */
export function callTitle(tool: string, argumentsText: string, max: number): string {
  const args = parsed(argumentsText);
  const word = (name: string) => (typeof args[name] === "string" ? args[name] : undefined);
  const command = word("command");
  if (command !== undefined) return plainLine(`$ ${command}`, max);
  const subject = word("path") ?? word("pattern") ?? word("glob") ?? word("question") ?? word("key") ?? word("input");
  return plainLine(`${tool} ${subject ?? ""}`, max);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What came of a call, in a few words. */
export function callResult(event: EventOf<"call.ended">, max: number): string {
  if (event.outcome === "cancelled") return "stopped";
  if (event.outcome === "lost") return "lost: whether it ran is not known";
  if (event.outcome === "error") return plainLine(`failed: ${textOf(event.content)}`, max);
  return answerText(event.data);
}

function answerText(data: EventOf<"call.ended">["data"]): string {
  if (data.edits !== undefined) return data.edits.map((edit) => `+${edit.added} -${edit.removed}`).join(", ");
  if (data.running === true) return "still running";
  if (data.exitCode !== undefined) return data.exitCode === null ? "killed" : `exit ${data.exitCode}`;
  if (data.matches !== undefined) return data.matches === 1 ? "1 match" : `${data.matches} matches`;
  if (data.lines !== undefined) return countText(data.lines, "line");
  return "ok";
}

/** Whether a call did what was asked and its command, if it was one, ended well. */
export function callWentWell(event: EventOf<"call.ended">): boolean {
  return event.outcome === "ok" && (event.data.exitCode ?? 0) === 0;
}
