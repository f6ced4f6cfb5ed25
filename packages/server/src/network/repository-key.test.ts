import { expect, test } from "vitest";
import { gitHostOf, keyOf, namesRepository } from "./repository-key.ts";

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

test("a rule's repository is an address, a folder, or what both are compared as; anything else names none", () => {
  const addresses = [
    "https://git.example/me/app.git",
    "git@git.example:me/app",
    "http://localhost:3000/a",
    "/home/me/app",
  ];
  for (const text of [...addresses, ...addresses.map(keyOf)]) expect(namesRepository(text), text).toBe(true);
  for (const text of ["app", "me/app", "./app", "https://git.example", "/", ""]) {
    expect(namesRepository(text), text).toBe(false);
  }
});
