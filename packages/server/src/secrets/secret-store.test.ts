import { mkdtemp, readFile, rm } from "node:fs/promises";
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
  expect(await store.list("ada")).toEqual([info]);
  expect(await readFile(join(home, "secrets.json"), "utf8")).not.toContain(input.value);
  const { store: later, known } = await open();
  expect(await later.for("ada", undefined)).toEqual([{ ...info, value: input.value }]);
  expect(known).toEqual(["GIT a-secret-value"]);
});

test("nobody has the secrets of another owner", async () => {
  const { store } = await open();
  await store.save("ada", "GIT", input);
  await store.remove("bob", "GIT");
  expect([await store.list("bob"), await store.for("bob", undefined)]).toEqual([[], []]);
  expect(await store.list("ada")).toEqual([info]);
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
  expect(await store.for("ada", undefined)).toMatchObject([{ value: input.value }]);
  await expect(store.save("ada", "OTHER", setting)).rejects.toMatchObject({ code: "bad_request" });
});

test("a repository's secret is for its conversations only, however its address is written", async () => {
  const { store } = await open();
  await store.save("ada", "GIT", { ...input, scope: { type: "repository", url: "https://github.com/team/app.git" } });
  expect(await store.for("ada", "https://github.com/team/app/")).toHaveLength(1);
  expect(await store.for("ada", "https://github.com/team/other")).toEqual([]);
  expect(await store.for("ada", undefined)).toEqual([]);
});

test("the last use is noted, at most once a minute", async () => {
  let at = 100_000;
  const { store } = await open(() => at);
  await store.save("ada", "GIT", input);
  const used = async () => (await store.list("ada"))[0]?.lastUsedAt;
  await store.used("ada", ["GIT", "UNKNOWN"]);
  expect(await used()).toBe(100_000);
  at += 59_999;
  await store.used("ada", ["GIT"]);
  expect(await used()).toBe(100_000);
  at += 1;
  await store.used("ada", ["GIT"]);
  expect(await used()).toBe(160_000);
});

test("changes at the same time all hold, and a removed secret is gone", async () => {
  const { store } = await open();
  await Promise.all(["A", "B", "C"].map((name) => store.save("ada", name, input)));
  await store.remove("ada", "B");
  expect((await store.list("ada")).map(({ name }) => name)).toEqual(["A", "C"]);
});

test("a value that is too short to be masked is refused with a sentence", () => {
  const parsed = SecretInput.safeParse({ ...input, value: "short" });
  expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
    "A secret has at least 8 characters: a shorter one cannot be masked.",
  ]);
});
