import { readFileSync } from "node:fs";
import type { Model, ModelOutput, ModelRequest } from "@handrail/core/ports/model";
import type { ModelSetting } from "@handrail/protocol/settings";
import { createModel } from "../create-model.ts";

/** The bytes of a recorded stream. */
export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../__fixtures__/${name}.sse`, import.meta.url));
}

export const REQUEST: ModelRequest = {
  conversationId: "conversation-1",
  system: "Be brief.",
  tools: [],
  messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
  maxOutputTokens: 100,
};

export type Served = { readonly status?: number; readonly headers?: Readonly<Record<string, string>> };

/** A model whose API answers with these chunks of bytes, whatever it is asked. */
export function servedModel(
  setting: Pick<ModelSetting, "dialect" | "model"> & Partial<ModelSetting>,
  chunks: readonly Uint8Array[],
  served: Served = {},
): Model {
  const headers = { "content-type": "text/event-stream", ...served.headers };
  const fetch = () => Promise.resolve(new Response(streamOf(chunks), { status: served.status ?? 200, headers }));
  return createModel(
    { id: "m", baseUrl: "http://model.test/v1", apiKey: "sk-test-secret-1234", ...setting },
    { fetch },
  );
}

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

/** All outputs of one call, in order. */
export async function outputsOf(model: Model, request: ModelRequest = REQUEST): Promise<readonly ModelOutput[]> {
  return Array.fromAsync(model.stream(request, new AbortController().signal));
}

/** The last output, which ends every answer. */
export async function endOf(model: Model, request: ModelRequest = REQUEST): Promise<ModelOutput | undefined> {
  return (await outputsOf(model, request)).at(-1);
}
