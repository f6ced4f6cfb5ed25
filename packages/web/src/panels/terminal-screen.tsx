import type { TerminalStream } from "@handrail/client/terminal-stream";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { useEffect, useRef, useState } from "react";
import { useServices } from "../state/services.ts";
import type { Socket } from "@handrail/client/open-socket";
import { TerminalKeys } from "./terminal-keys.tsx";

type ScreenProps = { readonly conversationId: string; readonly terminal: string };

/** One terminal, live: what is typed goes into the same shell that the agent uses. */
export function TerminalScreen({ conversationId, terminal }: ScreenProps) {
  const { socket } = useServices();
  const place = useRef<HTMLDivElement>(null);
  const stream = useRef<TerminalStream | null>(null);
  const [closed, setClosed] = useState<string | null>(null);
  useEffect(() => {
    if (place.current === null) return;
    setClosed(null);
    const shown = showTerminal(place.current, { conversationId, terminal, socket: socket(), onClosed: setClosed });
    stream.current = shown.stream;
    return shown.end;
  }, [socket, conversationId, terminal]);
  const type = (text: string) => stream.current?.type(new TextEncoder().encode(text));
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div ref={place} className="min-h-0 flex-1 overflow-hidden bg-[#16181d] p-1" />
      {closed !== null && <p className="border-t border-line px-3 py-1 text-warn">This terminal is over: {closed}</p>}
      <TerminalKeys onType={type} />
    </div>
  );
}

/** Colours that can be read on the dark ground, contrast 4.5 or more. */
const COLOURS = {
  background: "#16181d",
  foreground: "#e6e8ec",
  brightBlack: "#8f96a3",
  red: "#f2777a",
  green: "#7ec77e",
  yellow: "#e3b65b",
  blue: "#7aa7f7",
  magenta: "#d391e8",
  cyan: "#62c3cf",
};

/** Every other key is the terminal's, Tab and Escape too: there must be one to get out (WCAG 2.1.2). */
function leaves({ type, key, ctrlKey, shiftKey }: KeyboardEvent, parent: HTMLElement): boolean {
  if (key !== "Enter" || !ctrlKey || !shiftKey) return false;
  if (type === "keydown")
    parent.closest("section")?.querySelector<HTMLElement>("[aria-label=Terminals] button")?.focus();
  return true;
}

type Shown = { readonly stream: TerminalStream; readonly end: () => void };

type Watch = ScreenProps & { readonly socket: Socket; readonly onClosed: (reason: string) => void };

function showTerminal(parent: HTMLElement, { conversationId, terminal, socket, onClosed }: Watch): Shown {
  const screen = new Terminal({
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    fontSize: 13,
    scrollback: 5000,
    screenReaderMode: false,
    theme: COLOURS,
    linkHandler: { activate: () => {} },
  });
  const fit = new FitAddon();
  screen.loadAddon(fit);
  screen.attachCustomKeyEventHandler((event) => !leaves(event, parent));
  screen.open(parent);
  fit.fit();
  const stream = socket.openTerminal(
    { conversationId, terminal, columns: screen.cols, rows: screen.rows },
    { onOutput: ({ bytes }) => screen.write(bytes), onClosed },
  );
  const encoder = new TextEncoder();
  screen.onData((text) => stream.type(encoder.encode(text)));
  screen.onBinary((text) => stream.type(Uint8Array.from(text, (character) => character.charCodeAt(0))));
  screen.onResize(({ cols, rows }) => stream.resize(cols, rows));
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(parent);
  const end = () => {
    observer.disconnect();
    stream.close();
    screen.dispose();
  };
  return { stream, end };
}
