import { type ConversationStatus, type ConversationSummary, shownStatus } from "@handrail/protocol/summary";
import { expect, test } from "vitest";
import { branchName } from "./branch-name.ts";
import { withSummary } from "./conversation-queries.ts";
import { describeCost } from "./describe-cost.ts";
import { fileText } from "./file-text.ts";
import { filterEvents } from "./filter-events.ts";
import { groupConversations, sourceName } from "./group-conversations.ts";
import { linkHost } from "./link-host.ts";
import { matchCommands } from "./palette.ts";
import { parseHunks } from "./parse-hunks.ts";
import { readPlace } from "./place.ts";
import { newTerminalName } from "./terminal-name.ts";

const row = (id: string, state: ConversationStatus, updatedAt = 0) => ({ id, state, updatedAt }) as ConversationSummary;

test("conversations are grouped by what needs the user first, latest first within", () => {
  const rows = [row("a", "done", 1), row("b", "asked"), row("c", "working"), row("d", "failed"), row("e", "idle", 2)];
  expect(groupConversations(rows, 0).map((group) => [group.title, group.rows.map((one) => one.id)])).toEqual([
    ["Needs you", ["b"]],
    ["Stopped short", ["d"]],
    ["Working", ["c"]],
    ["Earlier", ["e", "a"]],
  ]);
});

test("a conversation whose sandbox asks needs the user too, for a day", () => {
  const asking = { ...row("a", "done", 1000), asks: 2 };
  const day = 24 * 3_600_000;
  expect(groupConversations([asking], day).map(({ title }) => title)).toEqual(["Needs you"]);
  expect(groupConversations([asking], day + 1000).map(({ title }) => title)).toEqual(["Earlier"]);
  expect(shownStatus({ ...asking, archived: true }, 1000)).toBe("done");
});

test("sources are named by their last part", () => {
  expect(
    [
      { type: "folder" as const, path: "/home/ana/shop/" },
      { type: "git" as const, url: "git@host:team/app.git" },
      { type: "empty" as const },
    ].map(sourceName),
  ).toEqual(["shop", "app", "Empty workspace"]);
});

test("a changed row takes its own place, a gone one leaves", () => {
  const rows = [row("a", "done"), row("b", "working")];
  expect(withSummary(rows, "b", row("b", "done")).map((one) => one.state)).toEqual(["done", "done"]);
  expect(withSummary(rows, "a", null).map((one) => one.id)).toEqual(["b"]);
});

test("cost is held against the limit that is nearest to hand", () => {
  const totals = { costUsd: 3, unpricedSteps: 0 } as Parameters<typeof describeCost>[0]["totals"];
  const run = { costUsd: 1, limits: { maxCostUsd: 5 } } as Parameters<typeof describeCost>[0]["run"];
  expect(describeCost({ totals, limits: { maxCostUsd: 10 }, run }).text).toBe("$3.00 of $10.00");
  expect(describeCost({ totals, limits: {}, run }).text).toBe("$1.00 of $5.00");
  expect(describeCost({ totals, limits: {}, run: null }).text).toBe("$3.00");
  expect(describeCost({ totals: { ...totals, costUsd: 0, unpricedSteps: 2 }, limits: {}, run }).text).toBe(
    "no price known",
  );
});

test("only links that a reader may follow have a host", () => {
  const links = [
    "https://a.org/x",
    "mailto:me@a.org",
    "javascript:alert(1)",
    "data:text/html,x",
    "/relative",
    undefined,
  ];
  expect(links.map(linkHost)).toEqual(["a.org", "me@a.org", null, null, null, null]);
});

test("hunks are read line by line, without control characters", () => {
  expect(parseHunks("@@ -1 +1 @@ f\n-old\n+new\u001b[31m\n same\n\\ No newline at end of file\n")).toEqual([
    { kind: "hunk", text: "@@ -1 +1 @@ f" },
    { kind: "removed", text: "old" },
    { kind: "added", text: "new" },
    { kind: "context", text: "same" },
    { kind: "hunk", text: "\\ No newline at end of file" },
  ]);
});

test("a zero byte makes a file binary; wrong UTF-8 does not", () => {
  expect(fileText(btoa("a\u0000b"))).toEqual({ kind: "binary" });
  expect(fileText(btoa("a\u00ff"))).toEqual({ kind: "text", text: "a\ufffd" });
});

test("places, commands and events are found by what is typed", () => {
  expect(readPlace({ panel: "files", file: "a", terminal: 3 })).toEqual({ panel: "files", file: "a" });
  expect(readPlace({ panel: "secrets", dialog: "x" })).toEqual({});
  expect(readPlace({ dialog: "settings" })).toEqual({ dialog: "settings" });
  const commands = ["New conversation", "Show changes"].map((name) => ({ id: name, name, keys: "", run: () => {} }));
  expect(matchCommands(commands, "chan sh").map((command) => command.name)).toEqual(["Show changes"]);
  const events = [{ seq: 0, at: 0, event: { type: "conversation.archived" as const } }];
  expect([filterEvents(events, "ARCHIVED").length, filterEvents(events, "renamed").length]).toEqual([1, 0]);
});

test("names that are made are ones that can be used", () => {
  expect(branchName("Fix: the Überrange…  (again)!")).toBe("handrail/fix-the-uberrange-again");
  expect(branchName("修复")).toBe("handrail/result");
  expect(newTerminalName(["main", "you", "you-2"])).toBe("you-3");
});
