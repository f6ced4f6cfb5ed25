import { valueStore } from "./value-store.ts";

/**
 * A line that goes by itself. `undo` takes back what it tells of, as long as it is shown; `gone` runs when it went
 * without that.
 */
export type Toast = {
  readonly id: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
  readonly undo: (() => void) | null;
  readonly gone?: () => void;
};

/** The toasts that are shown now, oldest first. */
export const toasts = valueStore<readonly Toast[]>([]);

/** How long a thing can be taken back. */
export const UNDO_MS = 8000;

const MOST = 4;
const timers = new Map<number, ReturnType<typeof setTimeout>>();
let held = false;
let lastId = 0;

/** Shows a line for a while. */
export function showToast(text: string, tone: Toast["tone"] = "plain", undo: Toast["undo"] = null): void {
  add({ text, tone, undo });
}

/**
 * Does a thing for good only when the line that tells of it has gone. `undone` runs when it was taken back, or failed.
 * `action` may have to begin as the page goes away: its request is one that goes on then.
 */
export function doLater(text: string, action: () => Promise<unknown>, undone: () => void): void {
  const failed = (error: unknown) => {
    undone();
    showError(error);
  };
  add({ text, tone: "plain", undo: undone, gone: () => void action().catch(failed) });
}

/** Takes a line away. */
export function dismissToast(id: number): void {
  take(id)?.gone?.();
}

/** Does at once what waits for its line to go: nobody can take it back any more. */
export function doWhatWaits(): void {
  for (const { id, gone } of toasts.get()) if (gone !== undefined) dismissToast(id);
}

/** Takes back what a line tells of; without an id, the latest that can be. False where there is none. */
export function undoToast(id?: number): boolean {
  const toast = toasts.get().findLast(({ undo, ...other }) => undo !== null && (id === undefined || other.id === id));
  if (toast === undefined) return false;
  take(toast.id);
  toast.undo?.();
  return true;
}

/** While held, because somebody reads them or is about to press a button of theirs, no line goes. */
export function holdToasts(hold: boolean): void {
  if (hold === held) return;
  held = hold;
  for (const { id } of toasts.get()) startTimer(id);
}

/** Shows what went wrong, in the error's own words. */
export function showError(error: unknown): void {
  showToast(error instanceof Error ? error.message : String(error), "bad");
}

/** Owns a promise that nothing waits for: what goes wrong is shown. */
export function report(promise: Promise<unknown>): void {
  promise.catch(showError);
}

/** What is said again takes the place of the same line. */
function add(toast: Omit<Toast, "id">): void {
  lastId += 1;
  const shown = toasts.get();
  const same = shown.find(({ text, undo }) => text === toast.text && undo === null && toast.undo === null);
  const leaving = same ?? (shown.length < MOST ? undefined : leastOf(shown));
  if (leaving !== undefined) dismissToast(leaving.id);
  toasts.set([...toasts.get(), { id: lastId, ...toast }]);
  startTimer(lastId);
}

/** The oldest of which nothing can be taken back; where there is none, the oldest. */
const leastOf = (shown: readonly Toast[]) => shown.find(({ undo }) => undo === null) ?? shown[0];

function take(id: number): Toast | undefined {
  const toast = toasts.get().find((shown) => shown.id === id);
  toasts.set(toasts.get().filter((shown) => shown !== toast));
  clearTimeout(timers.get(id));
  timers.delete(id);
  return toast;
}

function startTimer(id: number): void {
  clearTimeout(timers.get(id));
  if (!held)
    timers.set(
      id,
      setTimeout(() => dismissToast(id), UNDO_MS),
    );
}
