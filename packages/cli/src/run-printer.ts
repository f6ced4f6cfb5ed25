import { applyCosts, NO_COSTS, type Cost, type Costs } from "@handrail/protocol/costs";
import { textOf } from "@handrail/protocol/content";
import type { Delta } from "@handrail/protocol/deltas";
import type { EventOf, StoredEvent } from "@handrail/protocol/events";
import { costText, countText, durationText } from "./amounts.ts";
import { callResult, callTitle, callWentWell } from "./describe-call.ts";
import { type EventLines, eventLines } from "./event-line.ts";
import { plainLine, plainText } from "./plain-text.ts";
import type { Screen } from "./screen.ts";

/** Tells a run to a person as it happens: the model's text as it streams, a line a call, the costs at the end. */
export class RunPrinter {
  readonly #screen: Screen;
  readonly #lineOf: EventLines;
  readonly #titles = new Map<string, string>();
  #costs: Costs = NO_COSTS;
  #startedAt = 0;
  /** The step whose text is on the screen, and how many UTF-16 units of it. */
  #streamed = { stepId: "", units: 0 };
  #lastText = "";
  #atLineStart = true;
  #status = "";

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#lineOf = eventLines(screen.paint);
  }

  event(stored: StoredEvent): void {
    const { event } = stored;
    this.#costs = applyCosts(this.#costs, [stored]);
    if (event.type === "step.ended") this.#stepEnded(event);
    else if (event.type === "call.started") this.#showStatus(this.#titles.get(event.callId) ?? event.tool);
    else if (event.type === "call.ended") this.#callEnded(event);
    else if (event.type === "run.started") this.#startedAt = stored.at;
    else if (event.type === "run.ended") this.#runEnded(event, stored.at);
    const line = this.#lineOf(stored);
    if (line !== undefined) this.#line(line);
  }

  delta(delta: Delta): void {
    if (!this.#screen.live) return;
    if (delta.type === "text.delta") this.#stream(delta);
    else if (delta.type === "step.reset") this.#reset(delta.stepId);
    else if (delta.type === "progress.delta") this.#showStatus(delta.text);
  }

  /** Leaves the cursor at the start of an empty line. */
  end(): void {
    this.#showStatus("");
    this.#fresh();
  }

  #stream({ stepId, offset, text }: Extract<Delta, { type: "text.delta" }>): void {
    if (this.#streamed.stepId !== stepId) this.#streamed = { stepId, units: 0 };
    const known = this.#streamed.units - offset;
    if (known < 0 || known >= text.length) return;
    if (this.#streamed.units === 0) this.#line("");
    this.#write(plainText(text.slice(known)));
    this.#streamed = { stepId, units: offset + text.length };
  }

  #reset(stepId: string): void {
    if (this.#streamed.stepId !== stepId || this.#streamed.units === 0) return;
    this.#line(this.#screen.paint("dim", "  (the model starts this step again)"));
    this.#streamed = { stepId: "", units: 0 };
  }

  #stepEnded(event: EventOf<"step.ended">): void {
    const units = this.#streamed.stepId === event.stepId ? this.#streamed.units : 0;
    const text = textOf(event.content);
    this.#lastText = text.trim();
    if (units === 0 && text.trim() !== "") this.#line(`\n${plainText(text).trim()}`);
    else if (units < text.length && units > 0) this.#write(plainText(text.slice(units)));
    this.#fresh();
    for (const part of event.content) {
      if (part.type === "call") this.#titles.set(part.callId, callTitle(part.tool, part.arguments, 100));
    }
  }

  #callEnded(event: EventOf<"call.ended">): void {
    const { paint } = this.#screen;
    const title = this.#titles.get(event.callId) ?? "call";
    const mark = callWentWell(event) ? paint("green", "+") : paint("red", "-");
    const result = `${callResult(event, 200)}, ${durationText(event.durationMs)}`;
    this.#line(`  ${mark} ${paint("cyan", title)}  ${paint("dim", result)}`);
  }

  #runEnded(event: EventOf<"run.ended">, at: number): void {
    const { paint } = this.#screen;
    const cost = this.#costs.byRun.get(event.runId);
    const color = event.outcome === "done" ? "green" : event.outcome === "failed" ? "red" : "yellow";
    const code = event.errorCode === undefined ? "" : ` (${plainLine(event.errorCode, 60)})`;
    const detail = event.detail.trim();
    const seen = detail === "" || detail === this.#lastText ? "" : `: ${plainText(detail)}`;
    this.#line(`\n${paint(color, `${ENDINGS[event.outcome]}${code}`)}${seen}`);
    this.#line(paint("dim", sumText(cost, at - this.#startedAt)));
  }

  /** A line that the next output takes the place of; on a terminal only. */
  #showStatus(text: string): void {
    if (!this.#screen.live || !this.#atLineStart) return;
    this.#clearStatus();
    this.#status = plainLine(text, Math.max(20, this.#screen.columns() - 6));
    if (this.#status !== "") this.#screen.out(this.#screen.paint("dim", `  . ${this.#status}`));
  }

  #clearStatus(): void {
    if (this.#status !== "") this.#screen.out("\r\x1b[2K");
    this.#status = "";
  }

  #line(text: string): void {
    this.#fresh();
    this.#write(`${text}\n`);
  }

  #fresh(): void {
    if (!this.#atLineStart) this.#write("\n");
  }

  #write(text: string): void {
    if (text === "") return;
    this.#clearStatus();
    this.#screen.out(text);
    this.#atLineStart = text.endsWith("\n");
  }
}

const ENDINGS = {
  done: "Done",
  asked: "The agent asks",
  failed: "Failed",
  cancelled: "Stopped",
  limited: "Stopped at a limit",
} as const;

function sumText(cost: Cost | undefined, tookMs: number): string {
  if (cost === undefined) return durationText(tookMs);
  const tokens = cost.usage.inputTokens + cost.usage.outputTokens;
  return [durationText(tookMs), countText(cost.steps, "step"), countText(tokens, "token"), costText(cost)].join(", ");
}
