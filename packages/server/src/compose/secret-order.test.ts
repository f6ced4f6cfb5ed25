import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { putSecrets } from "@handrail/broker/secrets/put-secrets";
import type { SecretScope, SecretUse } from "@handrail/protocol/secrets";
import { afterEach, beforeEach, expect, test } from "vitest";
import { conversationSecrets } from "../secrets/conversation-secrets.ts";
import { mask } from "../settings/mask.ts";
import { openSecrets } from "../settings/secrets.ts";
import { openSecretStore } from "./secrets.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "handrail-order-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const HOST = "git.example";
const SCOPES: Readonly<Record<string, SecretScope>> = {
  repository: { type: "repository", url: `https://${HOST}/me/app` },
  owner: { type: "owner" },
  team: { type: "team", teamId: "core" },
};
const USES: Readonly<Record<string, SecretUse>> = {
  git: { type: "git", host: HOST, repositories: ["me/*"], push: [{ repository: "me/app", branches: ["agent/*"] }] },
  "git-fetch": { type: "git", host: HOST, repositories: ["me/*"], push: [] },
  header: { type: "header", hosts: [{ host: HOST }] },
  "header-2": { type: "header", hosts: [{ host: HOST }] },
  keep: { type: "header", hosts: [{ host: HOST }], keep: true },
  key: { type: "header", hosts: [{ host: HOST }], header: "X-Key" },
};
const REQUESTS = {
  fetch: ["GET", "/me/app.git/info/refs", "?service=git-upload-pack"],
  push: ["POST", "/me/app.git/git-receive-pack", ""],
  api: ["GET", "/api/user", ""],
} as const;

/** Names of the secrets, such as `owner-git`, that a request is sent with, and whether a push is checked; or why it is refused. */
async function sent(held: readonly string[], kind: keyof typeof REQUESTS, headers: readonly string[]) {
  const store = openSecretStore({ home, secrets: await openSecrets(join(home, "secret.key")), mask: mask() });
  for (const name of held) {
    const [, scope = "", use = ""] = /^([a-z]+)-(.+)$/.exec(name) ?? [];
    const setting = { scope: SCOPES[scope] ?? { type: "owner" }, use: USES[use] ?? { type: "file" } } as const;
    await store.save("ada", name, { ...setting, value: `value-of-${name}` });
  }
  const secrets = conversationSecrets({
    store,
    conversation: async () => ({
      ownerId: "ada",
      teamId: "core",
      repository: `https://${HOST}/me/app.git`,
    }),
    newAuthority: () => ({ certificate: "" }),
    placeholderKey: Buffer.alloc(32),
  });
  const [method, path, query] = REQUESTS[kind];
  const target = { host: { name: HOST, address: false }, port: 443 };
  const put = putSecrets((await secrets.openWith("c_1")).secrets, { target, method, path, query, headers });
  if ("code" in put) return put.code;
  // What is named is what is in the request.
  const texts = put.headers.map((text) =>
    text.replace(/^Basic (.*)$/, (_, code) => Buffer.from(code, "base64").toString()),
  );
  const inside = held.filter((name) => texts.some((text) => text.endsWith(`value-of-${name}`)));
  expect(put.names.toSorted()).toEqual(inside.toSorted());
  return [...inside, ...(put.push === undefined ? [] : ["checked"])].join(" ");
}

test.each<[held: string, kind: keyof typeof REQUESTS, expected: string]>([
  // Of two scopes the nearer one's, whatever the uses are.
  ["repository-git owner-git", "fetch", "repository-git"],
  ["repository-git owner-header", "fetch", "repository-git"],
  ["repository-git team-git", "fetch", "repository-git"],
  ["repository-git team-header", "fetch", "repository-git"],
  ["repository-header owner-git", "fetch", "repository-header"],
  ["repository-header owner-header", "fetch", "repository-header"],
  ["repository-header team-git", "fetch", "repository-header"],
  ["repository-header team-header", "fetch", "repository-header"],
  ["owner-git team-git", "fetch", "owner-git"],
  ["owner-git team-header", "fetch", "owner-git"],
  ["owner-header team-git", "fetch", "owner-header"],
  ["owner-header team-header", "fetch", "owner-header"],
  ["repository-header owner-header team-header", "api", "repository-header"],
  ["team-header owner-header", "api", "owner-header"],
  // Of one scope that for git, then the first by name.
  ["repository-git repository-header", "fetch", "repository-git"],
  ["owner-git owner-header", "fetch", "owner-git"],
  ["team-git team-header", "fetch", "team-git"],
  ["owner-header owner-header-2", "api", "owner-header"],
  ["owner-git owner-git-fetch", "fetch", "owner-git"],
  // For git alone: no other request has it.
  ["owner-git team-header", "api", "team-header"],
  // Headers of other names stand beside it.
  ["owner-key team-git", "fetch", "owner-key team-git"],
  ["owner-header team-key", "fetch", "owner-header team-key"],
  // A push is checked by the rules of the secret for git that it is made with.
  ["owner-git team-header", "push", "owner-git checked"],
  ["owner-header team-git", "push", "owner-header"],
  ["owner-git-fetch team-git", "push", "team-git checked"],
  ["owner-key team-git", "push", "owner-key team-git checked"],
  ["owner-git-fetch team-header", "push", "push_not_allowed"],
  ["owner-git-fetch owner-header", "push", "push_not_allowed"],
  ["owner-header team-git-fetch", "push", "owner-header"],
])("%s: a %s has %s", async (held, kind, expected) => {
  expect(await sent(held.split(" "), kind, [])).toBe(expected);
});

test.each<[held: string, kind: keyof typeof REQUESTS, expected: string]>([
  ["owner-keep team-header", "api", ""],
  ["owner-header team-keep", "api", "owner-header"],
  ["owner-keep team-git", "push", ""],
  ["owner-git team-keep", "push", "owner-git checked"],
])("where the sandbox sends its own header, %s: a %s has %j", async (held, kind, expected) => {
  expect(await sent(held.split(" "), kind, ["authorization", "its own"])).toBe(expected);
});

test("a placeholder of a secret for git that another goes before opens nothing, so that no push is made with it unchecked", async () => {
  const placeholder = "handrail-secret-team-git-";
  const random = (await import("node:crypto"))
    .createHmac("sha256", Buffer.alloc(32))
    .update("c_1 team-git")
    .digest("hex")
    .slice(0, 24);
  const own = ["authorization", `Basic ${Buffer.from(`x:${placeholder}${random}`).toString("base64")}`];
  expect(await sent(["owner-keep", "team-git"], "push", own)).toBe("");
});
