/** How long nothing is asked for until there is rest: longer than most models think between two steps. */
const AFTER_MS = 10_000;

/** Operations that only wait: a server has them under way for as long as it is connected. */
const WAITING: ReadonlySet<string> = new Set(["port.wait", "terminal.watch"]);

/** Hears of operations as they begin and end. */
export type Rest = { readonly begun: (operation: string) => void; readonly ended: (operation: string) => void };

/** Calls `give` once when no operation has been at work for a while, and again after the next one. */
export function rest(give: () => void, afterMs = AFTER_MS): Rest {
  let working = 0;
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(give, afterMs);
    timer.unref();
  };
  wait();
  return {
    begun: (operation) => {
      if (WAITING.has(operation)) return;
      working++;
      clearTimeout(timer);
    },
    ended: (operation) => {
      if (WAITING.has(operation)) return;
      working--;
      if (working === 0) wait();
    },
  };
}
