import type { Paint } from "./paint.ts";

/** Where a command writes. `out` is what was asked for, `err` is talk beside it. */
export type Screen = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** True when `out` is a terminal: text may stream, and a status line may be written over. */
  readonly live: boolean;
  /** For `out`. */
  readonly paint: Paint;
  /** Width of the terminal; 80 where there is none. */
  columns(): number;
};
