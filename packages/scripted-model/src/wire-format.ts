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
