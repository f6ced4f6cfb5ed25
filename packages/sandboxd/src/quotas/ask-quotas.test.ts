import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { askQuotas } from "./ask-quotas.ts";
import type { QuotaCalls } from "./quota-calls.ts";

/** A kernel with these limits, which come to be known when a user has a file. `full` has used up what there is. */
function setUp({ enforced = true, full = 0, refused = "EDQUOT" } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "handrail-quotas-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const owners: number[] = [full];
  const calls: QuotaCalls = {
    give: (path, user) => {
      expect(path).toBe(join(directory, "quota-probe"));
      if (user === full) throw Object.assign(new Error("full"), { code: refused });
      owners.push(user);
    },
    enforced: () => enforced,
    limit: (_file, user) => (owners.includes(user) && user !== 7 ? { bytes: user * 1024, files: user } : undefined),
  };
  return { ask: (...users: number[]) => askQuotas(directory, users, calls), owners };
}

test("each user has a file before the limit of that user is asked for, and who has none counts as unlimited", () => {
  expect(setUp().ask(5, 7, 6)).toEqual({
    enforced: true,
    limits: [
      { user: 5, bytes: 5120, files: 5 },
      { user: 7, bytes: 0, files: 0 },
      { user: 6, bytes: 6144, files: 6 },
    ],
  });
});

test("where users are not kept to limits nobody is asked for", () => {
  const { ask, owners } = setUp({ enforced: false });
  expect(ask(5)).toEqual({ enforced: false, limits: [] });
  expect(owners).toEqual([0]);
});

test("who has used up a limit has one, and what else keeps a user from having a file is told", () => {
  expect(setUp({ full: 5 }).ask(5)).toEqual({ enforced: true, limits: [{ user: 5, bytes: 5120, files: 5 }] });
  expect(() => setUp({ full: 5, refused: "EPERM" }).ask(5)).toThrow("full");
});
