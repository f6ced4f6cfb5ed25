import type { OperationName } from "@handrail/protocol/sandboxd/operations";
import { OPERATIONS } from "@handrail/protocol/sandboxd/operations";
import { expect, test } from "vitest";
import type { Handlers } from "./handlers.ts";
import { CALL } from "./testing/snapshot-place.ts";
import { Untouched } from "./untouched.ts";

test("only what neither changes files nor starts a program leaves a sandbox untouched; first files are counted", async () => {
  const names = Object.keys(OPERATIONS) as OperationName[];
  const harmless: string[] = [];
  for (const name of names) {
    const untouched = new Untouched();
    const handlers = Object.fromEntries(names.map((each) => [each, async () => each])) as unknown as Handlers;
    const handler = untouched.watch(handlers)[name] as (args: unknown, call: typeof CALL) => Promise<unknown>;
    expect(await handler({}, CALL)).toBe(name);
    if (untouched.isUntouched()) harmless.push(name);
    expect(untouched.replaced()).toBe(name === "workspace.fill" ? 1 : 0);
  }
  expect(harmless.toSorted()).toEqual([
    "sandbox.equip",
    "snapshot.keep",
    "snapshot.put",
    "snapshot.read",
    "snapshot.restore",
    "snapshot.take",
    "workspace.begin",
    "workspace.changes",
    "workspace.fill",
  ]);
});
