const LOOK_MS = 1000;

/**
 * Calls `act` each second once it was idle whenever it looked for so long, which it does each second. What the clock says
 * and the time in which the machine is suspended do not count: whoever was connected before that comes back after it.
 */
export function whenIdle(ms: number, isIdle: () => boolean, act: () => void): void {
  let looks = 0;
  setInterval(() => {
    looks = isIdle() ? looks + 1 : 0;
    if (looks * LOOK_MS >= ms) act();
  }, LOOK_MS);
}
