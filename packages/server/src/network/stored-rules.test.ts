import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { jsonFile } from "../settings/json-file.ts";
import { keyOf, repositoryKey } from "./repository-key.ts";
import { openStoredRules, StoredRulesFile } from "./stored-rules.ts";

async function setUp() {
  const directory = await mkdtemp(join(tmpdir(), "handrail-rules-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  let ids = 0;
  const file = jsonFile(join(directory, "network-rules.json"), StoredRulesFile);
  const newId = () => `w_${String(ids++).padStart(20, "0")}`;
  return () => openStoredRules({ file, now: () => 5, newId });
}

const user = (userId: string, ...teams: string[]) => ({ userId, teams });
const personal = (ownerId: string) => ({ ownerId, teamId: null });

test("there are no more than 500 rules", async () => {
  const one = { ownerId: "u_1", scope: "owner" as const, presets: [], requests: [], createdAt: 1 };
  const stored = Array.from({ length: 499 }, (_, at) => ({ ...one, ruleId: `w_${at}`, hosts: [`h${at}.test`] }));
  const file = { read: async () => ({ rules: stored }), write: async () => undefined, remove: async () => undefined };
  const rules = await openStoredRules({ file, now: () => 5, newId: () => "w_last" });
  const add = (host: string) => rules.add({ ownerId: "u_1", scope: "owner", repository: undefined, hosts: [host] });
  await add("last.test");
  await expect(add("more.test")).rejects.toMatchObject({ code: "limit_reached" });
  expect(rules.of(user("u_1"))).toHaveLength(500);
});

test("two rules that say the same are one, also when both are added at once", async () => {
  const rules = await (await setUp())();
  const add = () => rules.add({ ownerId: "u_1", scope: "owner", repository: undefined, hosts: ["a.test"] });
  const [one, other] = await Promise.all([add(), add()]);
  expect(other).toEqual(one);
  expect(await add()).toEqual(one);
  expect([rules.of(user("u_1")), rules.version]).toEqual([[one], 1]);
});

test("rules hold for their owner's conversations, all or those on their repository, and are there after a restart", async () => {
  const open = await setUp();
  const rules = await open();
  const [owner, repository] = await Promise.all([
    rules.add({ ownerId: "u_1", scope: "owner", repository: undefined, presets: ["npm"] }),
    rules.add({ ownerId: "u_1", scope: "repository", repository: "git.test/a", hosts: ["a.test"] }),
  ]);
  await rules.add({ ownerId: "u_2", scope: "owner", repository: undefined, hosts: ["b.test"] });
  const later = await open();
  for (const one of [rules, later]) {
    expect(one.for(personal("u_1"), "git.test/a")).toEqual([owner, repository]);
    expect(one.for(personal("u_1"), "git.test/b")).toEqual([owner]);
    expect(one.for(personal("u_1"), undefined)).toEqual([owner]);
    expect(one.of(user("u_3"))).toEqual([]);
  }
  expect(repository).toEqual({
    ruleId: "w_00000000000000000001",
    scope: "repository",
    repository: "git.test/a",
    presets: [],
    hosts: ["a.test"],
    requests: [],
    createdAt: 5,
  });
});

test("a rule is added once, removed by its owner alone, and each change changes the version", async () => {
  const rules = await (await setUp())();
  const wanted = { ownerId: "u_1", scope: "owner", repository: undefined, hosts: ["a.test"] } as const;
  const first = await rules.add(wanted);
  expect(await rules.add(wanted)).toEqual(first);
  expect(rules.version).toBe(1);
  await expect(rules.remove(user("u_2"), first.ruleId)).rejects.toMatchObject({ code: "not_found" });
  await rules.remove(user("u_1"), first.ruleId);
  expect([rules.version, rules.of(user("u_1"))]).toEqual([2, []]);
});

test("a team's rule holds for its conversations, whoever owns them, and for no other", async () => {
  const open = await setUp();
  const rules = await open();
  const wanted = { ownerId: "u_1", scope: "team", teamId: "core", repository: undefined, hosts: ["a.test"] } as const;
  const rule = await rules.add(wanted);
  expect(await rules.add({ ...wanted, ownerId: "u_2" })).toEqual(rule);
  expect((await rules.add({ ...wanted, teamId: "web" })).ruleId).not.toBe(rule.ruleId);
  for (const one of [rules, await open()]) {
    expect(one.for({ ownerId: "u_1", teamId: "core" }, undefined)).toEqual([rule]);
    expect(one.for({ ownerId: "u_2", teamId: "core" }, "git.test/a")).toEqual([rule]);
    expect(one.for({ ownerId: "u_1", teamId: "other" }, undefined)).toEqual([]);
    expect(one.for(personal("u_1"), undefined)).toEqual([]);
  }
});

test("a team's rule is listed and removed by whoever is in the team, and not by who added it and has left", async () => {
  const rules = await (await setUp())();
  const { ruleId } = await rules.add({
    ownerId: "u_1",
    scope: "team",
    teamId: "core",
    repository: undefined,
    hosts: ["a.test"],
  });
  const lists = [user("u_1", "core"), user("u_2", "web", "core"), user("u_1"), user("u_2", "web")].map((one) =>
    rules.of(one),
  );
  expect(lists.map((list) => list.length)).toEqual([1, 1, 0, 0]);
  await expect(rules.remove(user("u_1", "web"), ruleId)).rejects.toMatchObject({ code: "not_found" });
  await rules.remove(user("u_2", "core"), ruleId);
  expect(rules.of(user("u_1", "core"))).toEqual([]);
});

test("a rule that allows nothing, or names no repository or team where it must, is refused", async () => {
  const rules = await (await setUp())();
  for (const wanted of [
    { ownerId: "u", scope: "owner", repository: undefined },
    { ownerId: "u", scope: "repository", repository: undefined, hosts: ["a.test"] },
    { ownerId: "u", scope: "owner", repository: "git.test/a", hosts: ["a.test"] },
    { ownerId: "u", scope: "owner", repository: undefined, teamId: "core", hosts: ["a.test"] },
    { ownerId: "u", scope: "team", repository: undefined, hosts: ["a.test"] },
    { ownerId: "u", scope: "team", repository: "git.test/a", teamId: "core", hosts: ["a.test"] },
  ] as const) {
    await expect(rules.add(wanted)).rejects.toMatchObject({ code: "bad_request" });
  }
});

test("all ways to write a repository's address are one", () => {
  const ways = [
    "https://git.test/me/app",
    "https://GIT.test/me/app.git",
    "https://user@git.test/me/app.git/",
    "git@git.test:me/app.git",
    "ssh://git@git.test/me/app",
  ];
  expect(new Set(ways.map(keyOf))).toEqual(new Set(["git.test/me/app"]));
  expect(repositoryKey({ type: "folder", path: "/home/me/../me/app/" })).toBe("/home/me/app");
  expect(repositoryKey({ type: "empty" })).toBeUndefined();
});
