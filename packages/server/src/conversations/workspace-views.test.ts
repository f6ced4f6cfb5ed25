import type { Journal } from "@handrail/core/journal";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { expect, test } from "vitest";
import { workspaceViews } from "./workspace-views.ts";

const signal = new AbortController().signal;
const listing = { path: ".", entries: [], more: false };
const args = { path: ".", limit: 10, within: "workspace" } as const;

const inState = (state: object) =>
  ({
    state: { workspace: null, liveSandbox: null, snapshots: { latest: null, fork: undefined }, ...state },
  }) as unknown as Journal;

function viewsOver(sandboxes: ReturnType<typeof scriptedSandbox>[]) {
  const journal = async () => inState({ workspace: { commit: undefined, branch: undefined, files: 0 } });
  const open = async () => sandboxes.shift() ?? Promise.reject(new Error("No more sandboxes."));
  return workspaceViews({ journal, find: async () => undefined, open });
}

test("a look into a sandbox that has died since is taken again in a new one", async () => {
  const dead = scriptedSandbox();
  dead.lose();
  const views = viewsOver([dead, scriptedSandbox({ "file.list": () => listing }, "boot-2")]);

  expect(await views.call("c", "file.list", args, signal)).toEqual(listing);
});

test("a patch of which all is too large is none, and it is said what was left out", async () => {
  const leftOut = { files: [{ path: "sparse", reason: "large" as const, bytes: 3 * 1024 ** 3 }], count: 1 };
  const views = viewsOver([scriptedSandbox({ "workspace.patch": () => ({ data: "", size: 0, leftOut }) })]);
  await expect(views.patch("c", signal)).rejects.toMatchObject({
    code: "nothing_changed",
    message:
      "No file that is compared has changed. Left out, since files over 100 MiB are not compared: sparse (3,072 MiB).",
  });
});

test("for the patch of a conversation that never had a workspace no sandbox is started", async () => {
  const open = () => Promise.reject(new Error("A sandbox was started."));
  const views = workspaceViews({ journal: async () => inState({}), find: async () => undefined, open });
  await expect(views.patch("c", signal)).rejects.toMatchObject({
    code: "nothing_changed",
    message: "Nothing has changed, so there is no patch.",
  });
});

test("changes say what was left out of them", async () => {
  const leftOut = { files: [{ path: "sparse", reason: "large" as const, bytes: 3 * 1024 ** 3 }], count: 1 };
  const sandbox = scriptedSandbox({ "workspace.changes": () => ({ tree: "t", changes: [], leftOut }) });
  const parts = { journal: async () => ({}) as Journal, find: async () => sandbox, open: async () => sandbox };
  expect(await workspaceViews(parts).changes("c", signal)).toEqual({ changes: [], live: true, leftOut });
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
