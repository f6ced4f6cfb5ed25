import { type KeyboardEvent, type PointerEvent, useState } from "react";

const KEY = "handrail.panelWidth";
const LEAST = 280;

/** The panel's width in pixels, kept for this browser, and what moves its left edge. */
export function usePanelWidth() {
  const [width, setWidth] = useState(() => Number(localStorage.getItem(KEY)) || 520);
  const resize = (next: number) => {
    const clamped = Math.round(Math.min(Math.max(next, LEAST), innerWidth * 0.7));
    localStorage.setItem(KEY, String(clamped));
    setWidth(clamped);
  };
  const dragger = {
    onPointerDown: (event: PointerEvent) => event.currentTarget.setPointerCapture(event.pointerId),
    onPointerMove: (event: PointerEvent) => {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) resize(innerWidth - event.clientX);
    },
    onKeyDown: (event: KeyboardEvent) => {
      const step = event.key === "ArrowLeft" ? 24 : event.key === "ArrowRight" ? -24 : 0;
      if (step !== 0) resize(width + step);
    },
  };
  return { width, dragger };
}
