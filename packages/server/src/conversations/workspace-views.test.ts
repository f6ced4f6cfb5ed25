import type { Journal } from "@handrail/core/journal";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { expect, test } from "vitest";
import { workspaceViews } from "./workspace-views.ts";

const signal = new AbortController().signal;
const listing = { path: ".", entries: [], more: false };
const args = { path: ".", limit: 10, within: "workspace" } as const;

function viewsOver(sandboxes: ReturnType<typeof scriptedSandbox>[]) {
  const journal = async () => ({}) as Journal;
  const open = async () => sandboxes.shift() ?? Promise.reject(new Error("No more sandboxes."));
  return workspaceViews({ journal, find: async () => undefined, open });
}

test("a look into a sandbox that has died since is taken again in a new one", async () => {
  const dead = scriptedSandbox();
  dead.lose();
  const views = viewsOver([dead, scriptedSandbox({ "file.list": () => listing }, "boot-2")]);

  expect(await views.call("c", "file.list", args, signal)).toEqual(listing);
});

test("a look that fails for another reason, or twice, fails", async () => {
  const dead = [scriptedSandbox(), scriptedSandbox({}, "boot-2")];
  for (const sandbox of dead) sandbox.lose();

  await expect(viewsOver(dead).call("c", "file.list", args, signal)).rejects.toMatchObject({ code: "sandbox_gone" });
  const missing = viewsOver([scriptedSandbox()]).call(
    "c",
    "file.read",
    { path: "a", within: "workspace", fromLine: 1, maxLines: 1, capBytes: 1 },
    signal,
  );
  await expect(missing).rejects.toMatchObject({ code: "path_missing" });
});
