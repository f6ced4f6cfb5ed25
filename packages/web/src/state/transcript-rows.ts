import type {
  MarkerItem,
  MessageItem,
  StepItem,
  TranscriptCall,
  TranscriptItem,
} from "@handrail/protocol/transcript-items";
import { hasFailed } from "./describe-call.ts";

/** One row of the transcript's list. `key` stays the same while the row grows. */
export type Row =
  | { readonly kind: "message"; readonly key: string; readonly item: MessageItem }
  | { readonly kind: "text"; readonly key: string; readonly text: string }
  | { readonly kind: "reasoning"; readonly key: string; readonly text: string }
  | { readonly kind: "call"; readonly key: string; readonly call: TranscriptCall; readonly at: number }
  | { readonly kind: "calls"; readonly key: string; readonly calls: readonly TranscriptCall[] }
  | { readonly kind: "retries"; readonly key: string; readonly item: StepItem }
  | { readonly kind: "step"; readonly key: string; readonly item: StepItem }
  | { readonly kind: "marker"; readonly key: string; readonly item: MarkerItem };

const cache = new WeakMap<TranscriptItem, readonly Row[]>();

/**
 * The transcript as rows: steps taken apart into text, reasoning and calls, and neighbouring reads and searches folded
 * into one row where there are two or more. A fold takes the key of its first call.
 */
export function rowsOf(items: readonly TranscriptItem[]): readonly Row[] {
  const rows: Row[] = [];
  for (const item of items) {
    let own = cache.get(item);
    if (own === undefined) cache.set(item, (own = itemRows(item)));
    for (const row of own) addRow(rows, row);
  }
  return rows;
}

function addRow(rows: Row[], row: Row): void {
  const last = rows.at(-1);
  if (row.kind !== "call" || !folds(row.call) || last === undefined) {
    rows.push(row);
    return;
  }
  if (last.kind === "calls") rows[rows.length - 1] = { ...last, calls: [...last.calls, row.call] };
  else if (last.kind === "call" && folds(last.call)) {
    rows[rows.length - 1] = { kind: "calls", key: last.key, calls: [last.call, row.call] };
  } else rows.push(row);
}

const folds = (call: TranscriptCall) =>
  (call.tool === "read" || call.tool === "search") && call.state === "ok" && !hasFailed(call);

/** Events that say nothing to a reader: their effect is shown elsewhere. */
const SILENT = new Set(["run.started", "conversation.created", "conversation.renamed"]);

function itemRows(item: TranscriptItem): readonly Row[] {
  if (item.kind === "message") return [{ kind: "message", key: `m${item.seq}`, item }];
  if (item.kind === "step") return stepRows(item);
  if (SILENT.has(item.event.type)) return [];
  if (item.event.type === "run.ended" && item.event.outcome === "asked") return [];
  if (item.event.type === "notice.added" && item.event.audience === "model") return [];
  return [{ kind: "marker", key: `e${item.seq}`, item }];
}

function stepRows(item: StepItem): readonly Row[] {
  const rows = item.parts.flatMap((part, index): Row[] => {
    const key = `s${item.seq}.${index}`;
    if (part.type === "call") return [{ kind: "call", key, call: part.call, at: item.at }];
    return part.text.trim() === "" ? [] : [{ kind: part.type, key, text: part.text }];
  });
  const before: Row[] = item.retries.length > 0 ? [{ kind: "retries", key: `r${item.seq}`, item }] : [];
  const after: Row[] = needsLine(item) ? [{ kind: "step", key: `s${item.seq}`, item }] : [];
  return [...before, ...rows, ...after];
}

/** Whether a step has something to tell after its parts: it is open, or it ended oddly. */
function needsLine(item: StepItem): boolean {
  if (item.open || item.ended === null) return true;
  return item.ended.finish !== "stop" && item.ended.finish !== "calls";
}
