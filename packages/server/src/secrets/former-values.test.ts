import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecretInput, SecretScope } from "@handrail/protocol/secrets";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jsonFile } from "../settings/json-file.ts";
import { openSecrets } from "../settings/secrets.ts";
import { secretStore, StoredSecrets } from "./secret-store.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "handrail-former-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

let now = 1000;
const YEAR_MS = 365 * 24 * 3_600_000;
const OWNER = { type: "owner" } as const;
const CORE = { type: "team", teamId: "core" } as const;
const APP = { type: "repository", url: "https://git.test/app" } as const;

/** As after a start of the server. */
const opened = async (key = "secret.key") =>
  secretStore({
    file: jsonFile(join(home, "secrets.json"), StoredSecrets),
    secrets: await openSecrets(join(home, key)),
    now: () => now,
    known: () => undefined,
  });

const input = (value: string, scope: SecretScope = OWNER): SecretInput => ({ value, scope, use: { type: "file" } });

type Who = { ownerId?: string; teamId?: string | null; repository?: string };
const holder = ({ ownerId = "ada", teamId = null, repository }: Who = {}) => ({
  ownerId,
  teamId,
  repository,
});

async function masked(who: Who = {}, key?: string) {
  return (await (await opened(key)).had(holder(who))).map(({ name, value }) => `${name} ${value}`);
}

test("the values of a removed secret stay sealed, to be masked in conversations that had it, up to a year", async () => {
  const store = await opened();
  await store.save("ada", "KEY", input("first-value"));
  await store.save("ada", "KEY", input("second-value"));
  expect(await masked()).toEqual([]);
  await store.remove(holder(), "KEY");
  expect([await store.list("ada", []), await store.for(holder())]).toEqual([[], []]);
  expect(await masked()).toEqual(["KEY second-value", "KEY first-value"]);
  expect(await readFile(join(home, "secrets.json"), "utf8")).not.toContain("-value");
  expect([await masked({ ownerId: "bob" }), await masked({ ownerId: "bob", teamId: "core" })]).toEqual([[], []]);
  now += YEAR_MS - 1;
  expect(await masked()).toEqual(["KEY second-value", "KEY first-value"]);
  now += 1;
  expect(await masked()).toEqual([]);
});

test("values that are older than a year go with the next change", async () => {
  const store = await opened();
  const sealed = async () => (await readFile(join(home, "secrets.json"), "utf8")).match(/"sealed"/g)?.length;
  await store.save("ada", "KEY", input("first-value"));
  await store.save("ada", "KEY", input("second-value"));
  await store.save("ada", "OTHER", input("another-value"));
  await store.remove(holder(), "OTHER");
  expect(await sealed()).toBe(3);
  now += YEAR_MS;
  await store.save("ada", "KEY", input("third-value"));
  expect(await sealed()).toBe(3);
  now += YEAR_MS;
  await store.remove(holder(), "KEY");
  expect([await sealed(), await masked()]).toEqual([1, ["KEY third-value"]]);
});

test("a new value can be given when those before cannot be opened", async () => {
  await (await opened()).save("ada", "KEY", input("first-value"));
  const store = await opened("other.key");
  await expect(store.for(holder())).rejects.toMatchObject({ code: "secret_unreadable" });
  await store.save("ada", "KEY", input("second-value"));
  expect(await store.for(holder())).toMatchObject([{ value: "second-value" }]);
});

test("of a removed secret eight values are kept, however often it comes back, and of all of a user's 256", async () => {
  const store = await opened();
  for (let count = 0; count < 5; count += 1) {
    await store.save("ada", "KEY", input(`value-${count}-one`));
    await store.save("ada", "KEY", input(`value-${count}-two`));
    await store.remove(holder(), "KEY");
  }
  expect(await masked()).toEqual([4, 3, 2, 1].flatMap((at) => [`KEY value-${at}-two`, `KEY value-${at}-one`]));
  await store.save("ada", "TEAM", input("value-of-the-team", CORE));
  await store.remove(holder({ teamId: "core" }), "TEAM");
  await store.save("bob", "KEY", input("value-of-bob"));
  await store.remove(holder({ ownerId: "bob" }), "KEY");
  for (let count = 0; count < 250; count += 1) {
    await store.save("ada", `MORE_${count}`, input("value-of-more"));
    await store.remove(holder(), `MORE_${count}`);
  }
  const all = await masked({ teamId: "core" });
  expect([all.length, all[250], all.at(-1)]).toEqual([257, "TEAM value-of-the-team", "KEY value-2-one"]);
  expect(await masked({ ownerId: "bob" })).toEqual(["KEY value-of-bob"]);
});

test("a repository's removed secret is masked in the conversations on it alone, a team's in the team's", async () => {
  const store = await opened();
  await store.save("ada", "KEY", input("value-of-the-app", APP));
  await store.save("ada", "TEAM", input("value-of-the-team", CORE));
  await store.remove(holder(), "KEY");
  await store.remove(holder({ teamId: "core" }), "TEAM");
  const app = "KEY value-of-the-app";
  const team = "TEAM value-of-the-team";
  expect(await masked({ repository: `${APP.url}.git`, teamId: "core" })).toEqual([team, app]);
  expect(await masked({ repository: "https://git.test/other" })).toEqual([]);
  expect(await masked({ ownerId: "bob", teamId: "core", repository: APP.url })).toEqual([team]);
  expect(await masked({ teamId: "web" })).toEqual([]);
});

test("a secret that is given to other conversations is masked where it was", async () => {
  const store = await opened();
  await store.save("ada", "KEY", input("value-for-all"));
  const { value: _, ...setting } = input("", APP);
  await store.save("ada", "KEY", setting);
  expect(await store.for(holder())).toEqual([]);
  expect(await masked()).toEqual(["KEY value-for-all"]);
  await store.save("ada", "KEY", { ...setting, description: "ours" });
  expect(await masked()).toEqual(["KEY value-for-all"]);
});

test("a team's secret is masked where another of its name hides it, with its values before", async () => {
  const store = await opened();
  await store.save("ada", "KEY", input("value-of-old", CORE));
  await store.save("ada", "KEY", input("value-of-the-team", CORE));
  const team = ["KEY value-of-the-team", "KEY value-of-old"];
  expect(await masked({ teamId: "core" })).toEqual([]);
  await store.save("ada", "KEY", input("value-of-her-own"));
  expect(await masked({ teamId: "core" })).toEqual(team);
  expect([await masked(), await masked({ teamId: "web" })]).toEqual([[], []]);
});

test("a value that cannot be opened is left out, and what earlier versions stored is read", async () => {
  const store = await opened();
  await store.save("ada", "KEY", input("value-of-the-key"));
  await store.remove(holder(), "KEY");
  expect(await masked({}, "other.key")).toEqual([]);
  await writeFile(join(home, "secrets.json"), JSON.stringify({ secrets: [] }));
  expect(await masked()).toEqual([]);
});
