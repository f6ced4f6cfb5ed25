import { hash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { ISO, type Master, type Stage } from "./litellm-stage.ts";

const LIMITS = { max_budget: 5, budget_duration: "30d", rpm_limit: 60, tpm_limit: 9000, max_parallel_requests: 2 };
const DAY_MS = 86_400_000;

/** Making, changing, blocking, replacing and ending keys. */
export function keyTests(stage: Stage, as: Master): void {
  test("make a key that opens the gateway, and show it as LiteLLM, the page and the terminal do", async () => {
    const { ask, madeKey, shown } = stage();
    const { key, ...made } = await madeKey({
      key_alias: "ci",
      user_id: "ann",
      team_id: "makers",
      models: ["gpt"],
      duration: "2d",
      metadata: { purpose: "tests", size: 3 },
      ...LIMITS,
    });
    const listed = await shown(made.id);
    expect(listed).toMatchObject({
      name: "ci",
      owner: { kind: "user", id: "ann" },
      teamId: "makers",
      models: ["gpt"],
      limits: { budget: { usd: 5, period: "month" }, requestsPerMinute: 60, tokensPerMinute: 9000, parallel: 2 },
      admin: false,
    });
    expect(Math.round((listed.expiresAt! - listed.createdAt) / DAY_MS)).toBe(2);
    const { info } = await ask(as(), `GET /key/info?key=${key}`);
    expect(info).toEqual({
      token: made.hash,
      token_id: made.hash,
      key_name: listed.hint,
      key_alias: "ci",
      spend: 0,
      expires: new Date(listed.expiresAt!).toISOString(),
      models: ["gpt"],
      user_id: "ann",
      team_id: "makers",
      metadata: { purpose: "tests", size: "3" },
      blocked: false,
      created_at: new Date(listed.createdAt).toISOString(),
      ...LIMITS,
      budget_duration: "1mo",
      budget_reset_at: ISO,
    });
    expect(await ask(key, "GET /v1/models")).toMatchObject({ data: [{ id: "gpt" }] });
  });

  test("take a value that the caller chose, unless it can be guessed", async () => {
    const { ask, refusal, url } = stage();
    const chosen = `sk-${randomBytes(16).toString("hex")}`;
    expect(await ask(as(), "POST /key/generate", { key: chosen })).toMatchObject({ key: chosen });
    expect(await ask(chosen, "GET /key/info")).toMatchObject({ key: hash("sha256", chosen) });
    const weak = ["sk-1234", "sk-short-but-9f2c", "sk-aaaaaaaaaaaaaaaaaaaaaaaa", "sk-my-super-secret-user-key"];
    for (const key of weak) {
      expect([key, await refusal(as(), "POST /key/generate", { key })]).toEqual([key, "bad_request"]);
      expect(await refusal(key, "GET /key/info")).toBe("key_invalid");
    }
    const answer = await fetch(`${url}/key/generate`, {
      method: "POST",
      headers: { authorization: `Bearer ${as()}`, "content-type": "application/json" },
      body: JSON.stringify({ key: weak[2] }),
    });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      {
        error: expect.objectContaining({
          message:
            "key: can be guessed: it has too few different characters. Take a random one, such as sk- and what `openssl rand -hex 24` prints.",
        }),
      },
    ]);
  });

  test("know the keys that the page or the terminal made, and change what is named of them", async () => {
    const { ask, shown } = stage();
    const limits = { budget: { usd: 5, period: "month" }, requestsPerMinute: 60, tokensPerMinute: 9000, parallel: 2 };
    const input = { name: "by hand", owner: { kind: "user", id: "zoe" }, models: ["gpt"], limits };
    const made = await ask(as(), "POST /api/gateway/keys", { ...input, expiresAt: Date.now() + DAY_MS });
    const { key, info } = made as { readonly key: string; readonly info: { readonly id: string } };
    expect(await ask(key, "GET /key/info")).toMatchObject({
      info: { key_alias: "by hand", user_id: "zoe", ...LIMITS, budget_duration: "1mo" },
    });
    await ask(as(), "POST /key/update", {
      key: hash("sha256", key),
      rpm_limit: null,
      tpm_limit: 1,
      models: [],
      duration: "-1",
    });
    const changed = await shown(info.id);
    expect([changed.limits, changed.models, changed.expiresAt]).toEqual([
      { budget: { usd: 5, period: "month" }, tokensPerMinute: 1, parallel: 2 },
      undefined,
      undefined,
    ]);
  });

  test("block a key at once and give it back as it was", async () => {
    const { ask, refusal, madeKey, shown } = stage();
    const { key, id } = await madeKey({ duration: "1d", metadata: { a: "b" } });
    const { expiresAt } = await shown(id);
    const expires = new Date(expiresAt!).toISOString();
    expect(await ask(as(), "POST /key/block", { key })).toMatchObject({ blocked: true, expires });
    await ask(as(), "POST /key/block", { key });
    expect(await refusal(key, "GET /v1/models")).toBe("key_expired");
    expect(await refusal(key, "GET /key/info")).toBe("key_expired");
    expect(await refusal(as(), "POST /key/update", { key, duration: "9d" })).toBe("bad_request");
    await ask(as(), "POST /key/update", { key, metadata: { c: "d" } });
    expect(await ask(as(), "POST /key/unblock", { key })).toMatchObject({ blocked: false, metadata: { c: "d" } });
    expect((await shown(id)).expiresAt).toBe(expiresAt);
    expect(await refusal(key, "GET /v1/models")).toBe("answered");
  });

  test("regenerate and delete keys, and list those that are left", async () => {
    const { ask, refusal, madeKey, shown } = stage();
    const owner = { user_id: "lists" };
    const [one, two, three] = [
      await madeKey({ key_alias: "a", ...owner }),
      await madeKey({ key_alias: "b", ...owner }),
      await madeKey({ key_alias: "by its name", ...owner }),
    ];
    const chosen = { key: one.key, new_key: `sk-${randomBytes(16).toString("hex")}` };
    expect(await refusal(as(), "POST /key/regenerate", chosen)).toBe("request_unsupported");
    const fresh = (await ask(as(), "POST /key/regenerate", { key: one.key, new_key: null }))["key"] as string;
    expect(await refusal(one.key, "GET /key/info")).toBe("key_expired");
    expect(await ask(fresh, "GET /key/info")).toMatchObject({ info: { key_alias: "a" } });
    expect(await refusal(as(), "POST /key/delete", { keys: ["sk-none"] })).toBe("key_not_found");
    expect(await ask(as(), "POST /key/delete", { keys: [two.key] })).toEqual({ deleted_keys: [two.key] });
    await ask(as(), "POST /key/delete", { key_aliases: ["by its name"] });
    expect((await shown(three.id)).revokedAt).toBeTypeOf("number");
    expect(await refusal(two.key, "GET /v1/models")).toBe("key_invalid");
    expect(await ask(as(), "GET /key/list?user_id=lists")).toEqual({
      keys: [hash("sha256", fresh)],
      total_count: 1,
      current_page: 1,
      total_pages: 1,
    });
  });

  test("refuse what would narrow a key in ways that are not served, and what makes no sense", async () => {
    const { refusal } = stage();
    const bodies = [
      { allowed_routes: ["/chat"] },
      { model_max_budget: { gpt: 1 } },
      { guardrails: ["pii"] },
      { budget_duration: "90s", max_budget: 1 },
      { duration: "soon" },
      { max_budget: -1 },
      { models: "gpt" },
      { key: "short" },
      { metadata: { a: "x".repeat(5000) } },
      { guardrails: [], permissions: {}, unknown_thing: 1 },
    ];
    expect(await Promise.all(bodies.map((body) => refusal(as(), "POST /key/generate", body)))).toEqual([
      "request_unsupported",
      "request_unsupported",
      "request_unsupported",
      "bad_request",
      "bad_request",
      "bad_request",
      "bad_request",
      "bad_request",
      "bad_request",
      "answered",
    ]);
    expect(await refusal(as(), "DELETE /key/info")).toBe("method_not_allowed");
  });
}
