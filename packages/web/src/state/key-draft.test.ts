import { expect, test } from "vitest";
import { keyDraft, NEW_KEY, readKeyDraft } from "./key-draft.ts";

test("the form gives a key, and a stored key fills the form", () => {
  const draft = { ...NEW_KEY, name: "ci", models: "fast, claude-*", team: "core", cache: "team" } as const;
  const key = { name: "ci", limits: {}, cache: "team", models: ["fast", "claude-*"], teamId: "core" } as const;
  expect(readKeyDraft(draft, 0)).toEqual(key);
  const info = { ...key, models: [...key.models], id: "k", hint: "sk-…", owner: { kind: "user", id: "u" } as const };
  const stored = { ...info, standings: [], spentUsd: 0, createdAt: 0, admin: false };
  expect(keyDraft(stored)).toEqual({ ...draft, models: "fast claude-*" });
});

test("days become a moment, and what is wrong is a sentence", () => {
  expect(readKeyDraft({ ...NEW_KEY, name: "a", days: "0.5" }, 1000)).toMatchObject({ expiresAt: 43_201_000 });
  expect(readKeyDraft(NEW_KEY, 0)).toBe("Give the key a name.");
  expect(readKeyDraft({ ...NEW_KEY, name: "a", days: "-1" }, 0)).toBe("Give the days that it is good for, or nothing.");
});
