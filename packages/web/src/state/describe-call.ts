import type { TranscriptCall } from "@handrail/protocol/transcript-items";
import { formatBytes, plural } from "./format.ts";

/** What the model asked for, as far as its text can be read; keys that are not strings are left out. */
export type CallArguments = Readonly<Record<string, string>>;

/**
 * A call in one line. `verb` says what is done or was done, `object` on what, `result` what came of it (empty while it
 * runs). `mono`: the object is code. `failed`: the reader should see more than the line.
 */
export type CallLine = {
  readonly kind: "terminal" | "read" | "search" | "edit" | "tasks" | "ask" | "finish" | "other";
  readonly verb: string;
  readonly object: string;
  readonly result: string;
  readonly failed: boolean;
};

type Described = Pick<TranscriptCall, "tool" | "arguments" | "state" | "errorCode" | "data">;

const OTHER = { kind: "other", done: "Called", doing: "Calling", object: () => "" } as const;

type Wording = {
  readonly kind: CallLine["kind"];
  readonly done: string;
  readonly doing: string;
  readonly object: (args: CallArguments) => string;
};

const WORDINGS: Readonly<Record<string, Wording>> = {
  read: { kind: "read", done: "Read", doing: "Reading", object: (args) => args["path"] ?? "" },
  search: { kind: "search", done: "Searched", doing: "Searching", object: searchObject },
  edit: { kind: "edit", done: "Edited", doing: "Editing", object: (args) => args["path"] ?? "" },
  write: { kind: "edit", done: "Wrote", doing: "Writing", object: (args) => args["path"] ?? "" },
  tasks: { kind: "tasks", done: "Updated the plan", doing: "Updating the plan", object: () => "" },
  ask: { kind: "ask", done: "Asked you", doing: "Asking you", object: () => "" },
  finish: { kind: "finish", done: "Finished", doing: "Finishing", object: () => "" },
};

/** How one call reads in one line. */
export function describeCall(call: Described): CallLine {
  const args = readArguments(call.arguments);
  const wording = call.tool === "terminal" ? terminalWording(args) : (WORDINGS[call.tool] ?? OTHER);
  const settled = call.state !== "asked" && call.state !== "running";
  const verb =
    call.state === "dropped" ? "Did not make" : settled && call.state !== "error" ? wording.done : wording.doing;
  const object = wording.object(args);
  const named = wording.kind === "other" ? `${call.tool} ${object}`.trim() : object;
  return {
    kind: wording.kind,
    verb: call.state === "error" ? `${wording.doing} failed` : verb,
    object: call.state === "dropped" ? `${call.tool} ${object}`.trim() : named,
    result: resultOf(call),
    failed: hasFailed(call),
  };
}

/** Whether the call could not do what it should, or its command failed. */
export function hasFailed(call: Described): boolean {
  if (call.state === "error" || call.state === "lost") return true;
  return (
    call.state === "ok" && call.data.exitCode !== undefined && call.data.exitCode !== null && call.data.exitCode !== 0
  );
}

function terminalWording(args: CallArguments): Wording {
  const place = args["terminal"] === undefined ? "" : `in ${args["terminal"]}`;
  const typed = args["input"] ?? args["key"];
  const kind = "terminal";
  if (args["command"] !== undefined) {
    return { kind, done: "Ran", doing: "Running", object: () => args["command"] ?? "" };
  }
  if (typed !== undefined) return { kind, done: "Typed", doing: "Typing", object: () => JSON.stringify(typed) };
  if (args["kill"] !== undefined) return { kind, done: "Killed the command", doing: "Killing", object: () => place };
  return { kind, done: "Waited for the command", doing: "Waiting for the command", object: () => place };
}

function searchObject(args: CallArguments): string {
  const what = args["pattern"] ?? args["glob"] ?? "";
  return args["path"] === undefined ? what : `${what} in ${args["path"]}`;
}

const STATE_RESULTS: Readonly<Record<string, string>> = {
  lost: "lost: whether it ran is not known",
  cancelled: "stopped",
  dropped: "",
  asked: "",
  running: "",
};

function resultOf(call: Described): string {
  const fixed = STATE_RESULTS[call.state];
  if (fixed !== undefined) return fixed;
  if (call.state === "error") return (call.errorCode ?? "error").replaceAll("_", " ");
  return dataResult(call.data);
}

function dataResult(data: Described["data"]): string {
  if (data.running === true) return "still running";
  if (data.exitCode !== undefined) return data.exitCode === null ? "the shell ended" : `exit ${data.exitCode}`;
  if (data.edits !== undefined) return editCounts(data.edits);
  if (data.matches !== undefined) return plural(data.matches, "match", "matches");
  if (data.lines !== undefined) return plural(data.lines, "line");
  return data.outputBytes === undefined ? "" : formatBytes(data.outputBytes);
}

function editCounts(edits: NonNullable<Described["data"]["edits"]>): string {
  const added = edits.reduce((sum, edit) => sum + edit.added, 0);
  const removed = edits.reduce((sum, edit) => sum + edit.removed, 0);
  return added + removed === 0 ? "no lines" : `+${added} −${removed}`;
}

/** The arguments' top-level values as text. Text that is not whole yet is read as far as it goes. */
export function readArguments(text: string): CallArguments {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return {};
    const shown = Object.entries(value).filter(([, field]) => typeof field !== "object");
    return Object.fromEntries(shown.map(([key, field]) => [key, String(field)]));
  } catch {
    return readPartial(text);
  }
}

/** The string fields of JSON text that is cut off somewhere. */
function readPartial(text: string): CallArguments {
  const fields = text.matchAll(/"(\w+)"\s*:\s*"((?:[^"\\]|\\.)*)/g);
  return Object.fromEntries(Array.from(fields, ([, key = "", value = ""]) => [key, unescaped(value)]));
}

function unescaped(value: string): string {
  try {
    return String(JSON.parse(`"${value}"`));
  } catch {
    return value;
  }
}
