import { afterEach, expect, test } from "vitest";
import { type OpenVisits, openVisits } from "./open-visits.ts";
import type { Pass } from "./passes.ts";

const pass = (expiresAt: number): Pass => ({
  kind: "visit",
  conversationId: "c_0123456789abcdefghjk",
  port: 8080,
  userId: "local",
  session: "",
  expiresAt,
});
const LATER = Date.now() + 3_600_000;

let visits: OpenVisits;
afterEach(() => visits.close());

/** Adds a visit with this pass; gives what tells when it was ended. */
function added(of: Pass): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  visits.add(of, resolve);
  return promise;
}

test("a visit ends when its pass is over, is admitted no longer, or cannot be looked up", async () => {
  const out = pass(LATER + 1);
  const lost = pass(LATER + 2);
  const admits = async (of: Pass) => {
    if (of === lost) throw new Error("no disk");
    return of !== out;
  };
  visits = openVisits({ admits, lookMs: 1 });
  const kept: string[] = [];
  visits.add(pass(LATER), () => kept.push("kept"));
  visits.add(pass(0), () => kept.push("left"))();
  await Promise.all([added(pass(Date.now() - 1)), added(out), added(lost)]);
  expect(kept).toEqual([]);
});
