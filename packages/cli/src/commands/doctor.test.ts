import type { Finding } from "@handrail/protocol/settings";
import { expect, test } from "vitest";
import { couldRun, findingText } from "./doctor.ts";

const GIT: Finding = { name: "git", state: "ok", detail: "" };
const plain = (_color: string, text: string) => text;

test("a task could run with git and any one kind of isolation, also one that works in part", () => {
  const kinds = ["Docker", "Bubblewrap", "containerd", "No isolation"];
  const withOnly = (name: string, state: Finding["state"]) =>
    couldRun([
      GIT,
      ...kinds.map((one): Finding => ({ name: one, state: one === name ? state : "missing", detail: "" })),
    ]);
  expect(kinds.map((name) => withOnly(name, "partial"))).toEqual([true, true, true, false]);
  expect(kinds.map((name) => withOnly(name, "missing"))).toEqual([false, false, false, false]);
});

test("what works in part is told with what to do", () => {
  const finding: Finding = { name: "containerd", state: "partial", detail: "no profile dev", remedy: "Use another." };
  expect(findingText(finding, plain)).toBe("in part  containerd: no profile dev\n         Use another.");
});
