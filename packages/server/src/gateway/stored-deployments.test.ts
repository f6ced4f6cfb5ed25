import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jsonFile } from "../settings/json-file.ts";
import { mask as secretMask } from "../settings/mask.ts";
import { openSecrets } from "../settings/secrets.ts";
import { DeploymentsFile, storedDeployments } from "./stored-deployments.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-deployments-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const KEY = "sk-a-key-of-a-provider";
const place = { name: "fast", provider: "openai", model: "gpt-x", baseUrl: "https://api.example.org/v1" } as const;

async function open() {
  let made = 0;
  const mask = secretMask();
  const secrets = await openSecrets(join(home, "secret.key"));
  const file = jsonFile(join(home, "models.json"), DeploymentsFile);
  return { mask, store: storedDeployments({ file, secrets, mask, newId: () => `d_${(made += 1)}` }) };
}

test("places are there after a restart, their keys sealed in the file and masked in texts", async () => {
  const { store } = await open();
  await store.add({ ...place, apiKey: KEY });
  await store.add({ ...place, name: "other" });

  const again = await open();

  expect(await again.store.all()).toEqual([
    { ...place, id: "d_1", apiKey: KEY },
    { ...place, name: "other", id: "d_2" },
  ]);
  expect(readFileSync(join(home, "models.json"), "utf8")).not.toContain(KEY);
  expect(again.mask.text(`it said ${KEY}`)).not.toContain(KEY);
});

test("a change without a key keeps it for the same address, and asks for it for another", async () => {
  const { store } = await open();
  await store.add({ ...place, apiKey: KEY });

  expect(await store.change("d_1", { ...place, weight: 2 })).toEqual({ ...place, weight: 2, id: "d_1", apiKey: KEY });
  const moved = { ...place, baseUrl: "https://evil.example/v1" };
  await expect(store.change("d_1", moved)).rejects.toMatchObject({ code: "bad_request", details: { field: "apiKey" } });
  await expect(store.change("d_1", { ...place, provider: "groq" })).rejects.toMatchObject({ code: "bad_request" });
});

test("changes at the same time lose nothing, and what is not there is not_found", async () => {
  const { store } = await open();
  await Promise.all(["a", "b", "c"].map((name) => store.add({ ...place, name })));
  await Promise.all([store.remove("d_2"), store.change("d_3", { ...place, name: "c2" })]);
  expect((await store.all()).map(({ id, name }) => [id, name])).toEqual([
    ["d_1", "a"],
    ["d_3", "c2"],
  ]);
  await expect(store.remove("d_2")).rejects.toMatchObject({ code: "not_found" });
});
