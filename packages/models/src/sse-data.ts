import { createParser } from "eventsource-parser";

const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/**
 * Each event's `data`, however the bytes are cut (WHATWG HTML section 9.2.6). An event that the end cuts off is left
 * out. Rejects when one event is over 16 Mi characters.
 */
export async function* sseData(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let ready: string[] = [];
  let failure: Error | undefined;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent: ({ data }) => ready.push(data),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") failure = error;
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of chunks) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    const events = ready;
    ready = [];
    yield* events;
    if (failure) throw failure;
  }
}
