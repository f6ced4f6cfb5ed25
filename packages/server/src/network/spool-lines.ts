import { NetworkRequest } from "@handrail/protocol/network-events";
import { z } from "zod";

const Count = z.number().int().nonnegative();

const BegunLine = z.object({
  type: z.literal("begin"),
  id: Count,
  conversationId: z.string(),
  request: NetworkRequest.pick({ at: true, method: true, host: true, port: true, path: true, secrets: true }).extend({
    rule: z.string(),
  }),
});
/** A request that goes out. */
export type BegunLine = z.infer<typeof BegunLine>;

const SpoolEntry = z.object({
  n: Count,
  conversationId: z.string(),
  request: NetworkRequest,
  /** Of the line that the request began with. */
  id: Count.optional(),
});
/** A request that is over, or several summed into one: then `n` is that of the last. */
export type SpoolEntry = z.infer<typeof SpoolEntry>;

const BytesLine = z
  .object({ type: z.literal("bytes"), id: Count })
  .extend(NetworkRequest.pick({ bytesUp: true, bytesDown: true, durationMs: true }).shape);

const SpoolLine = z.discriminatedUnion("type", [
  z.object({ type: z.literal("spool"), spool: z.string(), next: Count }),
  BegunLine,
  BytesLine,
  z.object({ type: z.literal("drop"), id: Count }),
  SpoolEntry.extend({ type: z.literal("end") }),
  z.object({ type: z.literal("written"), conversationId: z.string(), n: Count }),
]);
export type SpoolLine = z.infer<typeof SpoolLine>;

export const spoolText = (lines: readonly SpoolLine[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

/** What a file of lines comes to. `spool` is undefined when its first line is not what it was. */
export type SpoolContent = {
  readonly spool: string | undefined;
  /** The next number. */
  readonly next: number;
  readonly left: readonly SpoolEntry[];
};

/** Lines that are damaged, as the last one may be, count for nothing. */
export function spoolLines(text: string): SpoolContent {
  const found: Found = { spool: undefined, next: 0, open: new Map(), bytes: new Map(), ended: [], written: new Map() };
  for (const line of text.split("\n").flatMap(parsed)) take(found, line);
  const left = found.ended.filter(({ n, conversationId }) => n > (found.written.get(conversationId) ?? -1));
  const cut = Array.from(found.open.values(), (line, index) => cutEntry(line, found.next + index, found.bytes));
  return { spool: found.spool, next: found.next + cut.length, left: [...left, ...cut] };
}

type Found = {
  spool: string | undefined;
  next: number;
  readonly open: Map<number, BegunLine>;
  readonly bytes: Map<number, z.infer<typeof BytesLine>>;
  readonly ended: SpoolEntry[];
  /** By conversation. */
  readonly written: Map<string, number>;
};

function parsed(text: string): SpoolLine[] {
  if (text === "") return [];
  try {
    const line = SpoolLine.safeParse(JSON.parse(text));
    return line.success ? [line.data] : [];
  } catch {
    return [];
  }
}

function take(found: Found, line: SpoolLine): void {
  switch (line.type) {
    case "spool":
      found.spool = line.spool;
      found.next = Math.max(found.next, line.next);
      return;
    case "begin":
      found.open.set(line.id, line);
      found.next = Math.max(found.next, line.id + 1);
      return;
    case "bytes":
      found.bytes.set(line.id, line);
      return;
    case "drop":
      found.open.delete(line.id);
      return;
    case "end": {
      const { type: _, ...entry } = line;
      if (entry.id !== undefined) found.open.delete(entry.id);
      found.ended.push(entry);
      found.next = Math.max(found.next, entry.n + 1);
      return;
    }
    case "written":
      found.written.set(line.conversationId, line.n);
  }
}

/** A request that was under way when the server was killed. */
function cutEntry({ id, conversationId, request }: BegunLine, n: number, bytes: Found["bytes"]): SpoolEntry {
  const { bytesUp = 0, bytesDown = 0, durationMs = 0 } = bytes.get(id) ?? {};
  return {
    n,
    id,
    conversationId,
    request: { ...request, bytesUp, bytesDown, durationMs, allowed: true, reason: "cut" },
  };
}
