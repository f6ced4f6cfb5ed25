import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretInput } from "@handrail/protocol/secrets";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jsonFile } from "../settings/json-file.ts";
import { openSecrets } from "../settings/secrets.ts";
import { secretStore, StoredSecrets } from "./secret-store.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "handrail-store-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const input = {
  value: "a-secret-value",
  scope: { type: "owner" },
  use: { type: "git", host: "github.com", repositories: ["team/*"], push: [] },
} satisfies SecretInput;

const holder = (ownerId: string, repository?: string, teamId: string | null = null) => ({
  ownerId,
  teamId,
  repository,
});

async function open(now = () => 1000) {
  const known: string[] = [];
  const store = secretStore({
    file: jsonFile(join(home, "secrets.json"), StoredSecrets),
    secrets: await openSecrets(join(home, "secret.key")),
    now,
    known: (name, value) => known.push(`${name} ${value}`),
  });
  return { store, known };
}

const { value: _value, ...setting } = input;
const info = { ...setting, name: "GIT", createdAt: 1000, changedAt: 1000, lastUsedAt: null };

test("a secret's value is kept sealed and is never in a list", async () => {
  const { store } = await open();
  expect(await store.save("ada", "GIT", input)).toEqual(info);
  expect(await store.list("ada", [])).toEqual([info]);
  expect(await readFile(join(home, "secrets.json"), "utf8")).not.toContain(input.value);
  const { store: later, known } = await open();
  expect(await later.for(holder("ada"))).toEqual([{ ...info, value: input.value }]);
  expect(known).toEqual(["GIT a-secret-value"]);
});

test("a value that was replaced is kept sealed for the masks, up to eight and a year; the present one is none of them", async () => {
  let now = 1000;
  const { store } = await open(() => now);
  const save = (value: string) => store.save("ada", "GIT", { ...input, value });
  const earlier = async (from = store) => (await from.for(holder("ada"))).map((one) => one.earlier);
  await save("first-value-000");
  await save("first-value-000");
  expect(await earlier()).toEqual([undefined]);
  await save("second-value-00");
  await store.save("ada", "GIT", { ...setting, environment: "TOKEN" });
  await save("third-value-000");
  const { store: later, known } = await open(() => now);
  expect(await earlier(later)).toEqual([["second-value-00", "first-value-000"]]);
  expect(known.toSorted()).toEqual(["GIT first-value-000", "GIT second-value-00", "GIT third-value-000"]);
  expect(await readFile(join(home, "secrets.json"), "utf8")).not.toMatch(/-value-0/);
  await save("first-value-000");
  expect(await earlier()).toEqual([["third-value-000", "second-value-00"]]);
  now += 365 * 24 * 3_600_000;
  expect(await earlier()).toEqual([undefined]);
  for (let count = 0; count < 12; count += 1) await save(`value-number-${count}`);
  expect(await earlier()).toEqual([[10, 9, 8, 7, 6, 5, 4, 3].map((count) => `value-number-${count}`)]);
});

test("nobody has the secrets of another owner", async () => {
  const { store } = await open();
  await store.save("ada", "GIT", input);
  await store.remove(holder("bob"), "GIT");
  expect([await store.list("bob", []), await store.for(holder("bob"))]).toEqual([[], []]);
  expect(await store.list("ada", [])).toEqual([info]);
});

test("a change without a value keeps the stored one; a new secret needs one", async () => {
  let at = 1000;
  const { store } = await open(() => at);
  await store.save("ada", "GIT", input);
  at = 2000;
  expect(await store.save("ada", "GIT", { ...setting, description: "mine" })).toEqual({
    ...info,
    description: "mine",
    changedAt: 2000,
  });
  expect(await store.for(holder("ada"))).toMatchObject([{ value: input.value }]);
  await expect(store.save("ada", "OTHER", setting)).rejects.toMatchObject({ code: "bad_request" });
});

test("a repository's secret is for its conversations only, however its address is written", async () => {
  const { store } = await open();
  await store.save("ada", "GIT", { ...input, scope: { type: "repository", url: "https://github.com/team/app.git" } });
  expect(await store.for(holder("ada", "https://github.com/team/app/"))).toHaveLength(1);
  expect(await store.for(holder("ada", "https://github.com/team/other"))).toEqual([]);
  expect(await store.for(holder("ada"))).toEqual([]);
});

test("the last use is noted, at most once a minute", async () => {
  let at = 100_000;
  const { store } = await open(() => at);
  await store.save("ada", "GIT", input);
  const used = async () => (await store.list("ada", []))[0]?.lastUsedAt;
  await store.used(holder("ada"), ["GIT", "UNKNOWN"]);
  expect(await used()).toBe(100_000);
  at += 59_999;
  await store.used(holder("ada"), ["GIT"]);
  expect(await used()).toBe(100_000);
  at += 1;
  await store.used(holder("ada"), ["GIT"]);
  expect(await used()).toBe(160_000);
});

test("changes at the same time all hold, and a removed secret is gone", async () => {
  const { store } = await open();
  await Promise.all(["A", "B", "C"].map((name) => store.save("ada", name, input)));
  await store.remove(holder("ada"), "B");
  expect((await store.list("ada", [])).map(({ name }) => name)).toEqual(["A", "C"]);
});

test("a value that is too short to be masked is refused and says why", () => {
  const parsed = SecretInput.safeParse({ ...input, value: "short" });
  expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
    "must have at least 8 characters, since a shorter one cannot be masked",
  ]);
});

const ofTeam = (teamId: string, value = "a-team-secret-value") =>
  ({ ...input, scope: { type: "team", teamId }, value }) as const satisfies SecretInput;

test("a team's secret is its conversations', whoever owns them, and its members save, list and remove the same one", async () => {
  const { store } = await open();
  await store.save("ada", "GIT", ofTeam("core"));
  const saved = await store.save("bob", "GIT", ofTeam("core", "the-second-value"));
  const { store: later } = await open();
  for (const one of [store, later]) {
    for (const ownerId of ["ada", "bob"]) {
      expect(await one.list(ownerId, ["web", "core"])).toEqual([saved]);
      expect(await one.list(ownerId, ["web"])).toEqual([]);
      expect(await one.for(holder(ownerId, "x", "core"))).toEqual([
        { ...saved, value: "the-second-value", earlier: [ofTeam("core").value] },
      ]);
      expect([await one.for(holder(ownerId)), await one.for(holder(ownerId, "x", "web"))]).toEqual([[], []]);
    }
  }
  await store.remove(holder("ada"), "GIT");
  expect(await store.list("ada", ["core"])).toEqual([saved]);
  await store.remove({ ownerId: "ada", teamId: "core" }, "GIT");
  expect(await store.list("bob", ["core"])).toEqual([]);
});

test("of a user's own and a team's secret of one name the user's own is taken, where it is for the conversation", async () => {
  const { store } = await open();
  const scope = { type: "repository", url: "https://git.test/app" } as const;
  await store.save("ada", "GIT", { ...input, scope });
  await store.save("ada", "GIT", ofTeam("core"));
  const values = async (...of: Parameters<typeof holder>) => (await store.for(holder(...of))).map(({ value }) => value);
  expect(await values("ada", "https://git.test/app.git", "core")).toEqual([input.value]);
  expect(await values("ada", "https://git.test/other", "core")).toEqual(["a-team-secret-value"]);
  expect(await values("bob", "https://git.test/app", "core")).toEqual(["a-team-secret-value"]);
  expect((await store.list("ada", ["core"])).map((one) => one.scope.type)).toEqual(["repository", "team"]);
});

test("secrets come in the order in which they win: repository, owner, team; of each those for git first, then by name", async () => {
  const { store } = await open();
  const scopes = { A: ofTeam("core").scope, B: { type: "owner" }, C: { type: "repository", url: "x" } } as const;
  for (const [letter, scope] of Object.entries(scopes)) {
    await store.save("ada", `${letter}_2_FILE`, { ...input, scope, use: { type: "file" } });
    await store.save("ada", `${letter}_1_FILE`, { ...input, scope, use: { type: "file" } });
    await store.save("ada", `${letter}_3_GIT`, { ...input, scope });
  }
  const names = (await store.for(holder("ada", "x", "core"))).map(({ name }) => name);
  expect(names).toEqual(["C", "B", "A"].flatMap((one) => [`${one}_3_GIT`, `${one}_1_FILE`, `${one}_2_FILE`]));
});

test("a use is noted of the secret that the conversation has", async () => {
  const { store } = await open(() => 100_000);
  await store.save("ada", "GIT", input);
  await store.save("ada", "GIT", ofTeam("core"));
  const used = async () => (await store.list("ada", ["core"])).map(({ lastUsedAt }) => lastUsedAt);
  await store.used(holder("bob", undefined, "core"), ["GIT"]);
  expect(await used()).toEqual([null, 100_000]);
  await store.used(holder("ada", undefined, "core"), ["GIT"]);
  expect(await used()).toEqual([100_000, 100_000]);
});

test("a team's secret is put to another use only with its value", async () => {
  const { store } = await open();
  await store.save("ada", "GIT", ofTeam("core"));
  const { value, ...same } = ofTeam("core");
  expect(await store.save("bob", "GIT", { ...same, description: "ours" })).toMatchObject({ description: "ours" });
  const elsewhere = { ...same, use: { ...same.use, host: "bob.example" } };
  await expect(store.save("bob", "GIT", elsewhere)).rejects.toMatchObject({ code: "bad_request" });
  expect(await store.for(holder("ada", undefined, "core"))).toMatchObject([{ value, use: same.use }]);
  await store.save("bob", "GIT", { ...elsewhere, value: "known-to-bob" });
});

test("a sealed value cannot be read as that of another scope, and what earlier versions stored is read", async () => {
  const path = join(home, "secrets.json");
  const secrets = await openSecrets(join(home, "secret.key"));
  const stored = { ...info, ownerId: "core", sealed: secrets.seal("secret core GIT", "an-own-value") };
  await writeFile(path, JSON.stringify({ secrets: [stored] }));
  const { store } = await open();
  expect(await store.for(holder("core"))).toEqual([{ ...info, value: "an-own-value" }]);
  await writeFile(path, JSON.stringify({ secrets: [{ ...stored, scope: { type: "team", teamId: "core" } }] }));
  const { store: moved } = await open();
  await expect(moved.for(holder("core", undefined, "core"))).rejects.toMatchObject({ code: "secret_unreadable" });
});
