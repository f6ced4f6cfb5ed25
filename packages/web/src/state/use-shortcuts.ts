import { useEffect, useRef } from "react";
import { type Pending, readShortcut, type Shortcut } from "./shortcuts.ts";

/** Calls the handler of a pressed shortcut, latest mounted handler first. A handler that gives false passes it on. */
export function useShortcuts(handlers: Partial<Readonly<Record<Shortcut, () => boolean | void>>>): void {
  const current = useRef(handlers);
  useEffect(() => {
    current.current = handlers;
  });
  useEffect(() => {
    const layer: Layer = (shortcut) => {
      const handler = current.current[shortcut];
      return handler !== undefined && handler() !== false;
    };
    layers.unshift(layer);
    if (layers.length === 1) addEventListener("keydown", onKeyDown);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      if (layers.length === 0) removeEventListener("keydown", onKeyDown);
    };
  }, []);
}

type Layer = (shortcut: Shortcut) => boolean;

const layers: Layer[] = [];
let pending: Pending = null;

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const command = event.ctrlKey || event.metaKey;
  const press = { key: event.key, command, alt: event.altKey, typing: isTyping(event.target), atMs: event.timeStamp };
  const read = readShortcut(pending, press);
  pending = read.pending;
  const { shortcut } = read;
  if (shortcut === null || (isInDialog(event.target) && shortcut !== "palette")) return;
  if (layers.some((layer) => layer(shortcut))) event.preventDefault();
}

const isTyping = (target: EventTarget | null) =>
  target instanceof Element && target.closest("input, textarea, select, [contenteditable=true], .xterm") !== null;

const isInDialog = (target: EventTarget | null) =>
  target instanceof Element && target.closest("[role=dialog], [role=alertdialog], [role=menu]") !== null;
