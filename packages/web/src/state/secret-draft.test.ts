import type { SecretInfo } from "@handrail/protocol/secrets";
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
  const read = readSecretDraft(draft, null);
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
  const read = readSecretDraft({ ...typed, team: "core" }, null);
  const scope = { type: "team", teamId: "core" } as const;
  expect(read).toEqual({ name: "KEY", body: { scope, use: { type: "file" }, value: "a long secret" } });
  const stored = { name: "KEY", scope, use: { type: "file" }, createdAt: 1, changedAt: 1, lastUsedAt: null } as const;
  expect(secretDraft(stored)).toEqual({ ...NEW_SECRET, name: "KEY", use: "file", team: "core" });
});

test("a header's form keeps its name, hosts and path", () => {
  const read = readSecretDraft(
    {
      ...NEW_SECRET,
      name: "KEY",
      value: "a long secret",
      header: "X-Api-Key: {secret}",
      hosts: "api.example.org:8443/v1/** b.example",
    },
    null,
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

const stored = (use: SecretInfo["use"]): SecretInfo => ({
  name: "KEY",
  scope: { type: "owner" },
  use,
  createdAt: 1,
  changedAt: 1,
  lastUsedAt: null,
});

test("another note leaves how a secret is used as it was set elsewhere", () => {
  for (const use of [
    { type: "header", hosts: [{ host: "a.example", methods: ["GET"] }], keep: true },
    { type: "header", hosts: [{ host: "a.example" }], user: "ada" },
    { type: "git", host: "g.example", repositories: [], push: [{ repository: "o/r", tags: ["v*"], deletions: true }] },
  ] satisfies SecretInfo["use"][]) {
    const known = stored(use);
    const read = readSecretDraft({ ...secretDraft(known), description: "other" }, known);
    expect(read).toEqual({ name: "KEY", body: { scope: { type: "owner" }, use, description: "other" } });
  }
});

test("where the use changes, methods, tags, deletions and headers that stay are kept", () => {
  const hosts = [{ host: "a.example", methods: ["GET"], path: "/v1/**" }];
  const header = stored({ type: "header", hosts, keep: true });
  const moved = { ...secretDraft(header), hosts: `${secretDraft(header).hosts} b.example` };
  expect(readSecretDraft(moved, header)).toMatchObject({
    body: { use: { hosts: [...hosts, { host: "b.example" }], keep: true } },
  });
  const push = [{ repository: "o/r", branches: ["main"], tags: ["v*"], deletions: true }];
  const git = stored({ type: "git", host: "g.example", repositories: [], push });
  const more = { ...secretDraft(git), push: `${secretDraft(git).push} o/s:main` };
  expect(readSecretDraft(more, git)).toMatchObject({
    body: { use: { push: [...push, { repository: "o/s", branches: ["main"] }] } },
  });
});

test("what is missing or wrong is said in a sentence", () => {
  expect(readSecretDraft({ ...NEW_SECRET, name: "1" }, null)).toContain("Name: must be a letter");
  expect(readSecretDraft({ ...NEW_SECRET, name: "A" }, null)).toBe("Give the value.");
  expect(readSecretDraft({ ...NEW_SECRET, name: "A", value: "a long secret" }, null)).toBe(
    "Give the hosts whose requests get the secret.",
  );
  expect(readSecretDraft({ ...NEW_SECRET, name: "A", hosts: "x", value: "short" }, null)).toContain(
    "Value: must have at least 8 characters",
  );
  expect(
    readSecretDraft({ ...NEW_SECRET, name: "A", use: "git", value: "a long secret", gitHost: "h", push: "x" }, null),
  ).toContain("branches");
});
