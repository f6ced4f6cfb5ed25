import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { Handlers } from "../handlers.ts";
import { keyText } from "./keys.ts";
import { Terminal, type TerminalOptions } from "./terminal.ts";

export type Terminals = {
  readonly handlers: Pick<
    Handlers,
    `terminal.${"run" | "wait" | "send" | "kill" | "list" | "watch" | "type" | "resize"}`
  >;
  /** Ends every shell and all that runs in it. */
  close(): void;
};

const MAX_TERMINALS = 64;

/** The operations on named terminals. */
export function terminals(options: Omit<TerminalOptions, "name">): Terminals {
  const byName = new Map<string, Terminal>();
  mkdirSync(join(options.stateDirectory, "commands"), { recursive: true, mode: 0o700 });
  const made = (name: string): Terminal => {
    const terminal = byName.get(name) ?? newTerminal(byName, { ...options, name });
    byName.set(name, terminal);
    return terminal;
  };
  const known = (name: string): Terminal => {
    const terminal = byName.get(name);
    if (terminal !== undefined) return terminal;
    throw new AppError("terminal_unknown", "There is no terminal of this name yet. Run a command in it first.");
  };
  return {
    handlers: {
      "terminal.run": (args, call) =>
        made(args.terminal).run(call.id, args.command, { ...args, signal: call.signal }, call.feed),
      "terminal.wait": (args, call) => known(args.terminal).wait({ ...args, signal: call.signal }),
      "terminal.send": (args, call) => {
        const text = (args.text ?? "") + (args.key === undefined ? "" : keyText(args.key));
        return known(args.terminal).send(text, { ...args, signal: call.signal });
      },
      "terminal.kill": (args) => known(args.terminal).kill(),
      "terminal.list": async () => ({ terminals: Array.from(byName.values(), (terminal) => terminal.description) }),
      "terminal.watch": async (args, call) => {
        const terminal = made(args.terminal);
        if (args.columns !== undefined && args.rows !== undefined) terminal.resize(args.columns, args.rows);
        terminal.open();
        call.feed(terminal.feed());
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
        return {};
      },
      "terminal.type": async (args) => {
        known(args.terminal).type(Buffer.from(args.data, "base64"));
        return {};
      },
      "terminal.resize": async (args) => {
        known(args.terminal).resize(args.columns, args.rows);
        return {};
      },
    },
    close: () => {
      for (const terminal of byName.values()) terminal.close();
    },
  };
}

function newTerminal(byName: ReadonlyMap<string, Terminal>, options: TerminalOptions): Terminal {
  if (byName.size < MAX_TERMINALS) return new Terminal(options);
  throw new AppError("terminal_failed", `There are ${MAX_TERMINALS} terminals already. Use one of them.`);
}
