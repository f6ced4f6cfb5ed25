import { askedPlace } from "@handrail/protocol/asked-place";
import { textOf } from "@handrail/protocol/content";
import type { EventOf, EventType, StoredEvent } from "@handrail/protocol/events";
import { sourceLabel } from "@handrail/protocol/source-label";
import { countText, durationText, moneyText } from "./amounts.ts";
import type { Paint } from "./paint.ts";
import { plainLine, plainText } from "./plain-text.ts";

/** Tells events of one conversation, as they follow each other. */
export type EventLines = (stored: StoredEvent) => string | undefined;

/** An event that stands for itself, as one line or a few; undefined for those that are told with others or not at all. */
export function eventLines(paint: Paint): EventLines {
  const asked = new Map<string, string>();
  return ({ event }) => {
    if (event.type === "network.asked") asked.set(event.askId, plainLine(askedPlace(event), 1000));
    if (event.type === "network.answered") return answerLine(event, paint, asked.get(event.askId));
    const line = LINES[event.type] as ((event: unknown, paint: Paint) => string | undefined) | undefined;
    return line?.(event, paint);
  };
}

/** What was asked for is unknown where that was told elsewhere. */
function answerLine({ answer }: EventOf<"network.answered">, paint: Paint, asked: string | undefined): string {
  return paint("dim", `  network: ${answer}${asked === undefined ? "" : `, for ${asked}`}`);
}

const LINES: { readonly [Type in EventType]?: (event: EventOf<Type>, paint: Paint) => string | undefined } = {
  "conversation.created": (event, paint) =>
    paint(
      "dim",
      `${event.conversationId}  ${plainLine(sourceLabel(event.source), 200)}  model ${plainLine(event.model, 80)}`,
    ),
  "conversation.renamed": () => undefined,
  "conversation.archived": (_, paint) => paint("dim", "archived"),
  "conversation.unarchived": (_, paint) => paint("dim", "taken out of the archive"),
  "message.added": (event, paint) => `\n${paint("bold", `> ${plainText(textOf(event.content)).trim()}`)}`,
  "notice.added": (event, paint) =>
    event.audience === "model" ? undefined : paint("yellow", `  note: ${plainLine(event.text, 400)}`),
  "workspace.prepared": (event, paint) => paint("dim", `  workspace ready: ${countText(event.files, "file")}`),
  "setup.started": (event, paint) => paint("dim", `  setting up: ${plainLine(event.command, 200)}`),
  "setup.ended": setupLine,
  "instructions.loaded": (event, paint) => paint("dim", `  instructions from ${plainLine(event.path, 200)}`),
  "sandbox.started": (event, paint) =>
    paint("dim", `  sandbox ${event.backend} started in ${durationText(event.durationMs)}`),
  "sandbox.lost": (event, paint) => paint("red", `  the sandbox is gone: ${plainLine(event.detail, 400)}`),
  "result.delivered": (event, paint) =>
    paint("dim", `  result delivered: ${event.kind} ${plainLine(event.ref, 200)}, ${countText(event.files, "file")}`),
  "run.resumed": (_, paint) => paint("yellow", "  the server went and came back; the run goes on"),
  "step.retried": (event, paint) =>
    paint(
      "yellow",
      `  try ${event.attempt} of ${event.maxAttempts} failed (${event.errorCode}): ${plainLine(event.detail, 200)} ` +
        `Next try in ${durationText(event.delayMs)}.`,
    ),
  "network.asked": (event, paint) =>
    paint(
      "yellow",
      `  the sandbox asks for ${plainLine(askedPlace(event), 1000)}; answer in the page, or with: handrail answer`,
    ),
  "network.limited": (event, paint) => paint("yellow", `  network limit reached: ${event.limit} ${event.max}`),
  "limit.reached": (event, paint) => paint("yellow", `  limit reached: ${limitText(event)}`),
  "stuck.detected": (event, paint) =>
    paint(
      "yellow",
      `  going in circles${event.action === "told" ? "" : ", so stopped"}: ${plainLine(event.detail, 200)}`,
    ),
};

function setupLine(event: EventOf<"setup.ended">, paint: Paint): string {
  const { outcome, exitCode, durationMs, kept, notKept } = event;
  const took = durationText(durationMs);
  if (outcome === "reused") return paint("dim", `  set up from an earlier conversation in ${took}`);
  if (outcome === "ok") {
    const reason = kept
      ? ", kept for later conversations"
      : notKept === undefined
        ? ""
        : `. ${plainLine(notKept, 400)}`;
    return paint("dim", `  set up in ${took}${reason}`);
  }
  const exit = exitCode === null ? "" : ` (exit ${exitCode})`;
  return paint("yellow", `  set-up ${outcome}${exit} after ${took}: ${plainLine(event.output.slice(-400), 400)}`);
}

function limitText({ limit, scope, max }: EventOf<"limit.reached">): string {
  const amounts = {
    maxCostUsd: () => moneyText(max),
    maxSteps: () => countText(max, "step"),
    maxTokens: () => countText(max, "token"),
    maxTimeMs: () => durationText(max),
  };
  return `${amounts[limit]()} for this ${scope}`;
}
