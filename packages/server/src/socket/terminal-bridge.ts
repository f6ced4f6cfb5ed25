import type { Sandbox } from "@handrail/core/ports/sandbox";
import { toAppError } from "@handrail/protocol/errors";
import { frameOf } from "./frames.ts";
import type { Outlet } from "./outlet.ts";

export type TerminalAsked = {
  readonly conversationId: string;
  readonly terminal: string;
  readonly offset: number;
  readonly columns: number;
  readonly rows: number;
};

/** A person's view of one terminal of a sandbox. */
export type TerminalBridge = {
  /** Types base64 bytes; what is typed arrives in order. */
  type(data: string): void;
  resize(columns: number, rows: number): void;
  close(): void;
};

const MAX_QUEUED = 256;
const DRAIN_POLL_MS = 50;

/** Shows a terminal on a socket until it or the socket is closed. `open` gives the sandbox, starting it if need be. */
export function terminalBridge(
  asked: TerminalAsked,
  outlet: Outlet,
  open: (signal: AbortSignal) => Promise<Sandbox>,
  onClosed: () => void,
): TerminalBridge {
  const { conversationId, terminal } = asked;
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, outlet.closed]);
  const sandbox = open(signal);
  let queued = 0;
  let queue: Promise<unknown> = sandbox;

  const closed = (thrown: unknown) => {
    if (!signal.aborted) {
      const reason = thrown === undefined ? "The terminal is closed." : toAppError(thrown).message;
      outlet.send(frameOf({ type: "terminal.closed", conversationId, terminal, reason }));
    }
    closing.abort(new Error("The terminal is closed."));
    onClosed();
  };
  /** Failures show in the watch, which then ends too. */
  const enqueue = (work: (sandbox: Sandbox) => Promise<unknown>) => {
    if (queued >= MAX_QUEUED) return;
    queued += 1;
    queue = queue
      .then(async () => work(await sandbox))
      .catch(() => undefined)
      .finally(() => (queued -= 1));
  };
  watchTerminal(asked, outlet, sandbox, signal).then(() => closed(undefined), closed);

  return {
    type: (data) => enqueue((live) => live.call("terminal.type", { terminal, data }, { signal })),
    resize: (columns, rows) => enqueue((live) => live.call("terminal.resize", { terminal, columns, rows }, { signal })),
    close: () => closing.abort(new Error("The terminal is closed.")),
  };
}

/** Output of a client that is behind is asked for again, from where it stopped reading. */
async function watchTerminal(
  { conversationId, terminal, offset, columns, rows }: TerminalAsked,
  outlet: Outlet,
  opening: Promise<Sandbox>,
  signal: AbortSignal,
): Promise<void> {
  const sandbox = await opening;
  for (let from = offset; ;) {
    const pause = new AbortController();
    const onOutput = (at: number, bytes: Uint8Array) => {
      if (pause.signal.aborted) return;
      from = at + bytes.length;
      const data = Buffer.from(bytes).toString("base64");
      outlet.send(frameOf({ type: "terminal.output", conversationId, terminal, offset: at, data }));
      if (outlet.behind) pause.abort(new Error("The client is behind."));
    };
    const options = { signal: AbortSignal.any([signal, pause.signal]), onOutput, outputFrom: from };
    try {
      await sandbox.call("terminal.watch", { terminal, columns, rows }, options);
      return;
    } catch (thrown) {
      if (!pause.signal.aborted || signal.aborted) throw thrown;
    }
    await drained(outlet, signal);
  }
}

async function drained(outlet: Outlet, signal: AbortSignal): Promise<void> {
  while (outlet.behind) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  }
}
