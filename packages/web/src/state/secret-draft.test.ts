import { expect, test } from "vitest";
import { NEW_SECRET, readSecretDraft, secretDraft } from "./secret-draft.ts";

test("a form becomes a secret, and a stored secret fills the form again", () => {
  const draft = {
    ...NEW_SECRET,
    name: "GIT_TOKEN",
    use: "git",
    gitHost: "git.example.org",
    fetch: "owner/*",
    push: "owner/repo:handrail/*",
    environment: "GIT_TOKEN",
    value: "a long secret",
  } as const;
  const read = readSecretDraft(draft, false);
  expect(read).toEqual({
    name: "GIT_TOKEN",
    body: {
      scope: { type: "owner" },
      use: {
        type: "git",
        host: "git.example.org",
        repositories: ["owner/*"],
        push: [{ repository: "owner/repo", branches: ["handrail/*"] }],
      },
      environment: "GIT_TOKEN",
      value: "a long secret",
    },
  });
  if (typeof read === "string") return;
  const { value: _, ...setting } = read.body;
  const stored = { ...setting, name: read.name, createdAt: 1, changedAt: 1, lastUsedAt: null };
  expect(secretDraft(stored)).toEqual({ ...draft, header: NEW_SECRET.header, value: "" });
});

test("a team's secret is the team's, whatever repository was typed before, and fills the form again as such", () => {
  const typed = {
    ...NEW_SECRET,
    name: "KEY",
    use: "file",
    value: "a long secret",
    repository: "https://a.test",
  } as const;
  const read = readSecretDraft({ ...typed, team: "core" }, false);
  const scope = { type: "team", teamId: "core" } as const;
  expect(read).toEqual({ name: "KEY", body: { scope, use: { type: "file" }, value: "a long secret" } });
  const stored = { name: "KEY", scope, use: { type: "file" }, createdAt: 1, changedAt: 1, lastUsedAt: null } as const;
  expect(secretDraft(stored)).toEqual({ ...NEW_SECRET, name: "KEY", use: "file", team: "core" });
});

test("a header's form keeps its name, hosts and path", () => {
  const read = readSecretDraft(
    { ...NEW_SECRET, name: "KEY", header: "X-Api-Key: {secret}", hosts: "api.example.org:8443/v1/** b.example" },
    true,
  );
  expect(read).toMatchObject({
    body: {
      use: {
        type: "header",
        header: "X-Api-Key",
        format: "{secret}",
        hosts: [{ host: "api.example.org", port: 8443, path: "/v1/**" }, { host: "b.example" }],
      },
    },
  });
});

test("what is missing or wrong is said in a sentence", () => {
  expect(readSecretDraft({ ...NEW_SECRET, name: "1" }, false)).toContain("Name: must be a letter");
  expect(readSecretDraft({ ...NEW_SECRET, name: "A" }, false)).toBe("Give the value.");
  expect(readSecretDraft({ ...NEW_SECRET, name: "A" }, true)).toBe("Give the hosts whose requests get the secret.");
  expect(readSecretDraft({ ...NEW_SECRET, name: "A", hosts: "x", value: "short" }, false)).toContain("8 characters");
  expect(readSecretDraft({ ...NEW_SECRET, name: "A", use: "git", gitHost: "h", push: "x" }, true)).toContain(
    "branches",
  );
});
