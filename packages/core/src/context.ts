import type { ContentPart, StepPart, TextPart } from "@handrail/protocol/content";
import type { ConversationEvent, EventOf, StoredEvent } from "@handrail/protocol/events";
import type { ModelPart } from "./ports/model.ts";

/** A message of the prompt, images still by reference. */
export type ContextMessage =
  | { readonly role: "user"; readonly content: readonly ContentPart[] }
  | { readonly role: "assistant"; readonly model: string; readonly content: readonly ModelPart[] }
  | {
      readonly role: "tool";
      readonly providerId: string;
      readonly tool: string;
      readonly content: readonly ContentPart[];
      readonly failed: boolean;
    };

type OpenCall = { readonly callId: string; readonly providerId: string; readonly tool: string };
type Result = { readonly content: readonly ContentPart[]; readonly failed: boolean };

/**
 * The prompt as a fold of the log: only ever appended to, so the prefix that a provider has cached stays the same.
 * What a user says while a model call or tool calls are under way is held, and comes after them.
 */
export type Context = {
  readonly instructions: readonly { readonly path: string; readonly text: string }[];
  readonly messages: readonly ContextMessage[];
  /** Hash of each file as the model last read or wrote it, by the path that the tool answered with. */
  readonly fileHashes: ReadonlyMap<string, string>;
};

/** A context that grows in place as events come. One per driver: give out `context` only for reading. */
export type ContextBuilder = { readonly context: Context; add(events: readonly StoredEvent[]): void };

/** An empty context to fold a log into. */
export const contextBuilder = (): ContextBuilder => new GrowingContext();

class GrowingContext implements ContextBuilder {
  readonly #instructions: { path: string; text: string }[] = [];
  readonly #messages: ContextMessage[] = [];
  readonly #fileHashes = new Map<string, string>();
  readonly #results = new Map<string, Result>();
  #held: ContextMessage[] = [];
  #calls: readonly OpenCall[] = [];
  #inStep = false;

  readonly context: Context = {
    instructions: this.#instructions,
    messages: this.#messages,
    fileHashes: this.#fileHashes,
  };

  add(events: readonly StoredEvent[]): void {
    for (const stored of events) this.#apply(stored.event);
  }

  #apply(event: ConversationEvent): void {
    switch (event.type) {
      case "message.added":
        return this.#say(event.content);
      case "notice.added":
        return event.audience === "user" ? undefined : this.#say([noticePart(event.text)]);
      case "instructions.loaded":
        return void this.#instructions.push({ path: event.path, text: event.text });
      case "step.started":
        this.#release();
        this.#inStep = true;
        return undefined;
      case "step.ended":
        return this.#stepEnded(event);
      case "call.ended":
        return this.#callEnded(event);
      case "run.ended":
        this.#inStep = false;
        return this.#closeCalls();
      default:
        return undefined;
    }
  }

  #say(content: readonly ContentPart[]): void {
    const busy = this.#inStep || this.#calls.length > 0;
    (busy ? this.#held : this.#messages).push({ role: "user", content });
  }

  #release(): void {
    this.#messages.push(...this.#held);
    this.#held = [];
  }

  #stepEnded(event: EventOf<"step.ended">): void {
    this.#inStep = false;
    const content = saidBy(event);
    if (content.length > 0) {
      this.#messages.push({ role: "assistant", model: event.model, content: content.map(withoutCallId) });
    }
    this.#calls = content.filter((part) => part.type === "call");
    if (this.#calls.length === 0) this.#release();
  }

  #callEnded(event: EventOf<"call.ended">): void {
    if (event.data.path !== undefined && event.data.fileHash !== undefined) {
      this.#fileHashes.set(event.data.path, event.data.fileHash);
    }
    if (!this.#calls.some((call) => call.callId === event.callId)) return;
    this.#results.set(event.callId, { content: event.content, failed: event.outcome !== "ok" });
    if (this.#results.size === this.#calls.length) this.#closeCalls();
  }

  /** Answers every open call, also those that will get no outcome any more: in the prompt each call has one. */
  #closeCalls(): void {
    for (const { callId, providerId, tool } of this.#calls) {
      const result = this.#results.get(callId) ?? { content: [NOT_RUN], failed: true };
      this.#messages.push({ role: "tool", providerId, tool, ...result });
    }
    this.#calls = [];
    this.#results.clear();
    if (!this.#inStep) this.#release();
  }
}

const NOT_RUN: TextPart = { type: "text", text: "This call was not made: the run ended before it." };

const noticePart = (text: string): TextPart => ({ type: "text", text: `<notice from="handrail">${text}</notice>` });

/** What of a step enters the prompt: nothing of a failed one, only the text of a cancelled one. */
function saidBy(event: EventOf<"step.ended">): readonly StepPart[] {
  if (event.finish === "failed") return [];
  const content = event.content.filter((part) => part.type !== "text" || part.text !== "");
  if (event.finish !== "cancelled") return content;
  return content.filter((part) => part.type === "text");
}

function withoutCallId(part: StepPart): ModelPart {
  if (part.type !== "call") return part;
  const { callId: _, ...rest } = part;
  return rest;
}
