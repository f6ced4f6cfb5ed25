import { driveRun } from "@handrail/core/drive-run";
import { openJournal } from "@handrail/core/journal";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { Model } from "@handrail/core/ports/model";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { messageEvents } from "@handrail/core/start-run";
import { type IdPrefix, newId } from "@handrail/protocol/ids";
import { NO_USAGE } from "@handrail/protocol/limits";
import { systemClock } from "./sample-events.ts";

export type Driven = {
  readonly store: LogStore;
  readonly conversationId: string;
  readonly model: Model;
  readonly sandbox: Sandbox;
};

/** Says something in the conversation and drives the run to its end, as the server does. */
export async function driveSteps({ store, conversationId, model, sandbox }: Driven): Promise<void> {
  const makeId = (prefix: IdPrefix) => newId(prefix, Date.now());
  const journal = await openJournal(store, systemClock, conversationId);
  const content = [{ type: "text", text: "Go on." }] as const;
  const message = { messageId: makeId("m"), userId: "local", content, runId: makeId("r") };
  await journal.commit((state) => messageEvents(state, message));
  const ports = {
    journal,
    store,
    model: async () => model,
    sandbox: async () => sandbox,
    clock: systemClock,
    random: Math.random,
    newId: makeId,
    emit: () => undefined,
    onUnforeseen(thrown: unknown) {
      throw thrown;
    },
  };
  await driveRun(ports, { stop: new AbortController().signal, leave: new AbortController().signal });
  if (journal.state.lastRun?.outcome !== "done") throw new Error(`the run ended: ${journal.state.lastRun?.detail}`);
}

/** A model in this process that asks for `steps` commands at once, and notes in `marks` when each answer was over. */
export function instantModel(steps: number, marks: { readonly begun: number[]; readonly over: number[] }): Model {
  return {
    id: "bench",
    contextTokens: 100_000_000,
    maxOutputTokens: 8000,
    images: false,
    scripted: true,
    price: () => 0,
    async *stream() {
      marks.begun.push(performance.now());
      const number = marks.begun.length;
      const words = { type: "text", text: `Step ${number}.` } as const;
      const providerId = `bench_${number}`;
      const call = { type: "call", providerId, tool: "terminal", arguments: `{"command":"true ${number}"}` } as const;
      const more = number <= steps;
      yield { type: "text", delta: words.text };
      if (more) yield { type: "call", index: 0, tool: call.tool, providerId, delta: call.arguments };
      marks.over.push(performance.now());
      yield {
        type: "end",
        finish: more ? "calls" : "stop",
        content: more ? [words, call] : [words],
        usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 10 },
        costUsd: 0,
        model: "bench",
      };
    },
  };
}
