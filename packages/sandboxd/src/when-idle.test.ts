import { expect, onTestFinished, test, vi } from "vitest";
import { whenIdle } from "./when-idle.ts";

test("an idle daemon acts after its time, which begins anew with each use and is not the clock's", () => {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  let idle = true;
  let acted = 0;
  whenIdle(
    3_600_000,
    () => idle,
    () => acted++,
  );
  vi.advanceTimersByTime(3_500_000);
  idle = false;
  vi.advanceTimersByTime(1_000);
  idle = true;
  vi.setSystemTime(Date.now() + 86_400_000);
  vi.advanceTimersByTime(3_598_000);
  expect(acted).toBe(0);
  vi.advanceTimersByTime(2_000);
  expect(acted).toBeGreaterThan(0);
});
