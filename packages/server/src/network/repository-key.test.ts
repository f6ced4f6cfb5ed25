import { expect, test } from "vitest";
import { gitHostOf } from "./repository-key.ts";

test.each([
  ["https://git.example/me/app.git", "git.example"],
  ["https://me:pass@GIT.example/me/app.git", "git.example"],
  ["https://git.example:443/me/app", "git.example"],
  ["https://git.example:8443/me/app", "git.example:8443"],
  ["http://git.example:3000/me/app", "git.example:3000"],
  ["ssh://git@git.example:2222/me/app", "git.example"],
  ["git@git.example:me/app.git", "git.example"],
  ["file:///srv/app.git", undefined],
])("the repository at %s is fetched from %s", (url, host) => {
  expect(gitHostOf({ type: "git", url })).toBe(host);
});

test("a folder and an empty workspace are fetched from nowhere", () => {
  expect([gitHostOf({ type: "folder", path: "/home/me/app" }), gitHostOf({ type: "empty" })]).toEqual([
    undefined,
    undefined,
  ]);
});
