import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashKey } from "../books/key-text.ts";
import { openSqliteBooks } from "../books/open-sqlite-books.ts";
import { importKeys, reportText } from "./import-keys.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-import-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test("a key of LiteLLM opens the program's books after its import, and a second import changes nothing", async () => {
  const file = join(home, "rows.json");
  const rows = { keys: [{ token: hashKey("sk-of-litellm"), key_alias: "ci", rpm_limit: 7 }, { token: "sk-plain" }] };
  writeFileSync(file, JSON.stringify(rows));
  const argv = ["--home", home, "--from", file];
  expect(reportText(await importKeys(argv))).toBe(
    "1 keys taken over, 0 were here already; 0 users, 0 teams; 1 rows left.\n" +
      "The key without a name is not kept as a hash.\n",
  );
  expect(await importKeys(argv)).toMatchObject({ keys: 0, known: 1 });
  const books = await openSqliteBooks({ file: join(home, "gateway.sqlite") });
  expect(await books.keys.find(hashKey("sk-of-litellm"))).toMatchObject({
    name: "ci",
    limits: { requestsPerMinute: 7 },
  });
  await expect(importKeys(argv)).rejects.toMatchObject({ code: "state_locked" });
  await books.close();
});

test("what to import must be said, and be readable", async () => {
  await expect(importKeys(["--home", home])).rejects.toThrow("Say what to import");
  await expect(importKeys(["--home", home, "--from", join(home, "none")])).rejects.toMatchObject({
    code: "config_invalid",
  });
});
