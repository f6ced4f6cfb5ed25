import { expect, test } from "vitest";
import { NEW_MODEL, readModelDraft } from "./model-draft.ts";

test("a full form is a setting; an absent key is left out, so that the stored one stays", () => {
  const draft = {
    ...NEW_MODEL,
    baseUrl: "http://127.0.0.1:4000/v1",
    model: " m ",
    contextTokens: "128000",
    inputPrice: "0",
  };
  expect(readModelDraft(draft)).toEqual({
    dialect: "openai",
    baseUrl: "http://127.0.0.1:4000/v1",
    model: "m",
    contextTokens: 128_000,
    inputUsdPerMillion: 0,
  });
  expect(readModelDraft({ ...draft, apiKey: "k " })).toMatchObject({ apiKey: "k" });
});

test("only an OpenAI-compatible API needs an address", () => {
  expect(readModelDraft({ ...NEW_MODEL, model: "m" })).toEqual({
    field: "baseUrl",
    text: "Give the address of the API.",
  });
  expect(readModelDraft({ ...NEW_MODEL, dialect: "anthropic", model: "m" })).toEqual({
    dialect: "anthropic",
    model: "m",
  });
});

test("what cannot be right is named by its field", () => {
  const field = (part: Partial<typeof NEW_MODEL>) => {
    const read = readModelDraft({ ...NEW_MODEL, baseUrl: "http://x", model: "m", ...part });
    return "field" in read ? read.field : null;
  };
  expect([
    field({ baseUrl: "ftp://x" }),
    field({ model: " " }),
    field({ contextTokens: "many" }),
    field({ outputPrice: "-1" }),
    field({}),
  ]).toEqual(["baseUrl", "model", "contextTokens", "outputPrice", null]);
});
