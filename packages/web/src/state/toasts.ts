import { valueStore } from "./value-store.ts";

/** A line that goes by itself. `undo` takes back what it tells of, as long as it is shown. */
export type Toast = {
  readonly id: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
  readonly undo: (() => void) | null;
};

/** The toasts that are shown now, oldest first. */
export const toasts = valueStore<readonly Toast[]>([]);

/** How long a thing can be taken back. */
export const UNDO_MS = 8000;

let lastId = 0;

/** Shows a line for a while. */
export function showToast(text: string, tone: Toast["tone"] = "plain", undo: Toast["undo"] = null): number {
  lastId += 1;
  const id = lastId;
  toasts.set([...toasts.get(), { id, text, tone, undo }].slice(-4));
  setTimeout(() => dismissToast(id), UNDO_MS);
  return id;
}

/** Takes a line away. */
export function dismissToast(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

/** Does a thing for good only after the time to take it back has gone by. `undone` runs when it was taken back. */
export function doLater(text: string, action: () => Promise<unknown>, undone: () => void): void {
  let waiting = true;
  const timer = setTimeout(() => {
    waiting = false;
    action().catch((error: unknown) => {
      undone();
      showError(error);
    });
  }, UNDO_MS);
  showToast(text, "plain", () => {
    if (!waiting) return;
    clearTimeout(timer);
    undone();
  });
}

/** Shows what went wrong, in the error's own words. */
export function showError(error: unknown): void {
  showToast(error instanceof Error ? error.message : String(error), "bad");
}

/** Owns a promise that nothing waits for: what goes wrong is shown. */
export function report(promise: Promise<unknown>): void {
  promise.catch(showError);
}
