import type { Cost } from "@handrail/protocol/costs";

/** A span of time for people: `350 ms`, `4.2 s`, `3 min 05 s`, `2 h 10 min`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} min`;
}

/** A moment for people: day and time to the minute where the program runs. */
export function minuteText(atMs: number): string {
  const at = new Date(atMs);
  const day = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join("-");
  return `${day} ${[at.getHours(), at.getMinutes()].map(twoDigits).join(":")}`;
}

const twoDigits = (number: number) => String(number).padStart(2, "0");

/** Dollars for people: two decimals, four below one dollar. */
export function moneyText(usd: number): string {
  return `$${usd.toFixed(usd > 0 && usd < 1 ? 4 : 2)}`;
}

/** A number and its noun: `1 file`, `2 files`. */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/** What steps have cost, and how much of that is not known. */
export function costText(cost: Cost): string {
  if (cost.unpricedSteps === 0) return moneyText(cost.costUsd);
  if (cost.unpricedSteps === cost.steps) return "price not known";
  return `${moneyText(cost.costUsd)} and ${countText(cost.unpricedSteps, "step")} of unknown price`;
}
