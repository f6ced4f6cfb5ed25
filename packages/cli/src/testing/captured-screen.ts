import { uncolored } from "../paint.ts";
import type { Screen } from "../screen.ts";

/** A screen that keeps what was written to it. */
export function capturedScreen(live = false): Screen & { readonly written: { out: string; err: string } } {
  const written = { out: "", err: "" };
  return {
    written,
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
    live,
    paint: uncolored,
    columns: () => 80,
  };
}
