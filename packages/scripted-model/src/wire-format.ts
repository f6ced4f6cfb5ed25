import type { Answer } from "./answer.ts";

/** How one API puts an answer on the wire. */
export type WireFormat = {
  /** The whole stream as server-sent events, one string for each. */
  events(answer: Answer): readonly string[];
  /** The whole answer of a request that does not stream. */
  whole(answer: Answer): object;
  /** An error answer's body. */
  error(status: number, message: string): object;
  /** The event that reports an error in the middle of a stream. */
  errorEvent(message: string): string;
};

/** A server-sent event without a name. */
export function dataEvent(body: object): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

/** A server-sent event named as its body's type. */
export function typedEvent(body: Readonly<Record<string, unknown>> & { readonly type: string }): string {
  return `event: ${body.type}\n${dataEvent(body)}`;
}

/** The input of a call as an object. Malformed arguments have none; a client sees an empty one. */
export function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
