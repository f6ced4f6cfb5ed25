import type { StepPart } from "@handrail/protocol/content";
import type { Delta } from "@handrail/protocol/deltas";
import type { ModelEnd, ModelOutput } from "./ports/model.ts";

/** One attempt at a step: gathers what streams in, passes fragments on, and can say at any time what there is. */
export type StepStream = {
  take(output: ModelOutput): void;
  /** The whole answer once the model has ended it, with Handrail's ids on its calls. */
  readonly end: (Omit<ModelEnd, "content"> & { readonly content: readonly StepPart[] }) | undefined;
  /** What was streamed so far, text and reasoning only: for an answer that was cut off. */
  partial(): readonly StepPart[];
  readonly started: boolean;
};

type Options = {
  readonly stepId: string;
  readonly newCallId: () => string;
  readonly emit: (delta: Delta) => void;
};

export function stepStream({ stepId, newCallId, emit }: Options): StepStream {
  const text = fragments((offset, fragment) => emit({ type: "text.delta", stepId, offset, text: fragment }));
  const reasoning = fragments((offset, fragment) => emit({ type: "reasoning.delta", stepId, offset, text: fragment }));
  const calls = new Map<number, OpenCall>();
  let end: StepStream["end"];
  let started = false;

  const takeCall = (output: Extract<ModelOutput, { type: "call" }>) => {
    const call = calls.get(output.index) ?? { callId: newCallId(), tool: "", length: 0 };
    calls.set(output.index, call);
    if (output.tool !== undefined) call.tool = output.tool;
    const { callId, tool } = call;
    emit({ type: "arguments.delta", stepId, callId, tool, offset: call.length, text: output.delta });
    call.length += output.delta.length;
  };
  return {
    take(output) {
      started = true;
      if (output.type === "text") text.add(output.delta);
      else if (output.type === "reasoning") reasoning.add(output.delta);
      else if (output.type === "call") takeCall(output);
      else end = { ...output, content: withIds(output.content, [...calls.values()], newCallId) };
    },
    get end() {
      return end;
    },
    get started() {
      return started;
    },
    partial() {
      const parts: StepPart[] = [];
      if (reasoning.whole() !== "") parts.push({ type: "reasoning", text: reasoning.whole() });
      if (text.whole() !== "") parts.push({ type: "text", text: text.whole() });
      return parts;
    },
  };
}

type OpenCall = { readonly callId: string; tool: string; length: number };

function fragments(pass: (offset: number, fragment: string) => void) {
  let whole = "";
  return {
    add(fragment: string) {
      pass(whole.length, fragment);
      whole += fragment;
    },
    whole: () => whole,
  };
}

/** Calls get the ids under which their fragments were streamed, in the same order. */
function withIds(content: ModelEnd["content"], calls: readonly OpenCall[], newCallId: () => string): StepPart[] {
  const ids = calls.map((call) => call.callId);
  return content.map((part) => (part.type === "call" ? { ...part, callId: ids.shift() ?? newCallId() } : part));
}
