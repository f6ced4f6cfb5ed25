import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Model } from "@handrail/core/ports/model";
import { scriptedModel } from "@handrail/core/testing/scripted-model-port";
import type { ModelSetting } from "@handrail/protocol/settings";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jsonFile } from "./json-file.ts";
import { mask as secretMask } from "./mask.ts";
import { modelSettings, StoredModel } from "./model-settings.ts";
import { openSecrets } from "./secrets.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-secrets-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const keyFile = () => join(home, "secret.key");
const refusal = (work: () => unknown) => {
  try {
    work();
    return "taken";
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

test("a secret opens under its own name, also after a restart, and twice the same looks different", async () => {
  const secrets = await openSecrets(keyFile());
  const blob = secrets.seal("model", "sk-1");
  expect((await openSecrets(keyFile())).unseal("model", blob)).toBe("sk-1");
  expect(secrets.seal("model", "sk-1")).not.toBe(blob);
  expect(blob).not.toContain("sk-1");
  expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
});

test("a blob that was moved, changed, cut, or sealed with another key does not open", async () => {
  const secrets = await openSecrets(keyFile());
  const blob = secrets.seal("model", "sk-1");
  rmSync(keyFile());
  const other = await openSecrets(keyFile());
  const last = blob.at(-1) === "A" ? "Q" : "A";
  const changed = blob.slice(0, -1) + last;
  const parts = blob.split(".");
  const shortTag = [...parts.slice(0, 4), parts[4]!.slice(0, 6), parts[5]].join(".");
  const tries = [
    () => secrets.unseal("other", blob),
    () => secrets.unseal("model", changed),
    () => secrets.unseal("model", blob.slice(0, -4)),
    () => secrets.unseal("model", shortTag),
    () => secrets.unseal("model", ""),
    () => other.unseal("model", blob),
  ];
  expect(tries.map(refusal)).toEqual(tries.map(() => "secret_unreadable"));
});

async function settings(fixed?: ModelSetting) {
  const mask = secretMask();
  const opened: ModelSetting[] = [];
  const createModel = async (_id: string, setting: ModelSetting): Promise<Model> => {
    opened.push(setting);
    return scriptedModel([]);
  };
  const models = modelSettings({
    fixed,
    file: jsonFile(join(home, "model.json"), StoredModel),
    secrets: await openSecrets(keyFile()),
    mask,
    createModel,
    demoModel: async () => scriptedModel([]),
  });
  return { models, mask, opened };
}

const setting: ModelSetting = {
  dialect: "openai",
  baseUrl: "http://one.example/v1",
  model: "gpt",
  apiKey: "sk-secret-1",
};
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (thrown: unknown) => (thrown as { code: string }).code,
  );

test("a saved model keeps its key sealed, gives it to the model alone, and masks it", async () => {
  const { models, mask } = await settings();
  expect(await models.save(setting)).toMatchObject({ id: "default", label: "gpt", hasKey: true, fixed: false });
  expect(readFileSync(join(home, "model.json"), "utf8")).not.toContain("sk-secret-1");
  const later = await settings();
  await later.models.open("default");
  await later.models.open("gpt-mini");
  expect(later.opened.map(({ model, apiKey }) => [model, apiKey])).toEqual([
    ["gpt", "sk-secret-1"],
    ["gpt-mini", "sk-secret-1"],
  ]);
  expect(JSON.stringify(await later.models.list())).not.toContain("sk-secret-1");
  expect(mask.text("key sk-secret-1!")).toBe("key [secret key]!");
});

test("a stored key never goes to another address", async () => {
  const { models } = await settings();
  await models.save(setting);
  const { apiKey: _, ...keyless } = setting;
  expect((await models.withStoredKey({ ...keyless, model: "other" })).apiKey).toBe("sk-secret-1");
  expect(await codeOf(models.withStoredKey({ ...keyless, baseUrl: "http://two.example/v1" }))).toBe("bad_request");
  expect(await codeOf(models.save({ ...keyless, dialect: "anthropic" }))).toBe("bad_request");
});

test("a model from the environment cannot be changed, and without any there is only the demo", async () => {
  const { models } = await settings(setting);
  expect(await codeOf(models.save(setting))).toBe("forbidden");
  expect((await models.list()).map(({ id, fixed }) => [id, fixed])).toEqual([
    ["default", true],
    ["demo", true],
  ]);
  const none = await settings();
  expect([await none.models.defaultId(), await codeOf(none.models.require("default"))]).toEqual([null, "model_unset"]);
  expect(await codeOf(none.models.require("demo"))).toBe("done");
});
