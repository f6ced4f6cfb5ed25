import type { ConversationSummary } from "@handrail/protocol/summary";
import { textOf } from "@handrail/protocol/content";
import { sourceLabel } from "@handrail/protocol/source-label";
import type { Transcript } from "@handrail/protocol/transcript";
import type { TranscriptCall, TranscriptItem } from "@handrail/protocol/transcript-items";
import { durationText, moneyText } from "./amounts.ts";
import { type EventLines, eventLines } from "./event-line.ts";
import { uncolored } from "./paint.ts";
import { plainLine, plainText } from "./plain-text.ts";
import { callTitle } from "./describe-call.ts";

/** A conversation as a Markdown document (CommonMark 0.31). What came from the model stays Markdown; output is fenced. */
export function markdown(summary: ConversationSummary, transcript: Transcript): string {
  const head = [
    `# ${plainLine(summary.title, 200)}`,
    `${summary.id}, ${plainLine(sourceLabel(summary.source), 200)}, model ${plainLine(summary.model, 100)}, ` +
      `${summary.state}, ${moneyText(summary.costUsd)}`,
  ];
  const lineOf = eventLines(uncolored);
  return `${[...head, ...transcript.items.flatMap((item) => itemText(item, lineOf))].join("\n\n")}\n`;
}

function itemText(item: TranscriptItem, lineOf: EventLines): readonly string[] {
  switch (item.kind) {
    case "message":
      return ["## User", plainText(textOf(item.content))];
    case "step":
      return item.parts.map((part) => {
        if (part.type === "call") return callText(part.call);
        const text = plainText(part.text).trim();
        return part.type === "text" ? `## Agent\n\n${text}` : quoted(text);
      });
    case "marker":
      return markerText(item, lineOf);
  }
}

type Marker = Extract<TranscriptItem, { kind: "marker" }>;

function markerText({ event, seq, at, tookMs }: Marker, lineOf: EventLines): readonly string[] {
  if (event.type === "run.ended") {
    const took = tookMs === null ? "" : ` after ${durationText(tookMs)}`;
    return [`**${event.outcome}${took}**${event.detail === "" ? "" : `: ${plainText(event.detail)}`}`];
  }
  if (event.type === "conversation.created") return [];
  const line = lineOf({ seq, at, event })?.trim();
  return line === undefined ? [] : [`*${line}*`];
}

function callText(call: TranscriptCall): string {
  const title = callTitle(call.tool, call.arguments, 200).replaceAll("`", "'");
  return `\`${title}\` (${call.state})\n\n${fenced(plainText(textOf(call.content)))}`;
}

const quoted = (text: string) =>
  text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");

/** A fenced block (§4.5) whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
