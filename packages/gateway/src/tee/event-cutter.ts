/** Cuts a stream of server-sent events between events, never within one. */
export type EventCutter = {
  /** The bytes up to the last event that is whole; undefined when none is. */
  push(chunk: Buffer): Buffer | undefined;
  /** What is left at the end. */
  rest(): Buffer;
};

/** An event that is larger goes on in pieces. */
const MAX_HELD_BYTES = 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** The bytes stay as they are; a chunk that ends with an event is the same buffer. */
export function eventCutter(): EventCutter {
  let held: Buffer = EMPTY;
  return {
    push(chunk) {
      const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const end = all.length > MAX_HELD_BYTES ? all.length : lastEventEnd(all);
      held = all.subarray(end);
      if (end === 0) return undefined;
      return held.length === 0 ? all : all.subarray(0, end);
    },
    rest: () => held,
  };
}

const NEWLINE = 0x0a;

/** Behind the last blank line; 0 when there is none. */
function lastEventEnd(bytes: Buffer): number {
  const { length } = bytes;
  if (bytes[length - 1] === NEWLINE && bytes[length - 2] === NEWLINE) return length;
  const plain = bytes.lastIndexOf("\n\n");
  const returned = bytes.lastIndexOf("\n\r\n");
  return Math.max(plain < 0 ? 0 : plain + 2, returned < 0 ? 0 : returned + 3);
}

const DATA = /^data:(.*)/gm;

/** Whether the bytes behind the last blank line are an event that lacks nothing but that line. */
export function isWholeEvent(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  const data = Array.from(bytes.toString("utf8").matchAll(DATA), ([, text = ""]) => text).join("\n");
  return data.trim() === "[DONE]" || isJson(data);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The whole events of bytes that end with one. */
export function eventsIn(bytes: Buffer): readonly Buffer[] {
  const events: Buffer[] = [];
  let start = 0;
  while (start < bytes.length) {
    const end = firstEventEnd(bytes, start);
    events.push(bytes.subarray(start, end));
    start = end;
  }
  return events;
}

function firstEventEnd(bytes: Buffer, from: number): number {
  const plain = bytes.indexOf("\n\n", from);
  const returned = bytes.indexOf("\n\r\n", from);
  const ends = [plain < 0 ? bytes.length : plain + 2, returned < 0 ? bytes.length : returned + 3];
  return Math.min(...ends);
}
