import { hash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MASTER, NOW, openAdminStage } from "../../testing/admin-stage.ts";

let stage: Awaited<ReturnType<typeof openAdminStage>>;

beforeEach(async () => {
  stage = await openAdminStage();
});
afterEach(() => stage.close());

const LIMITS = { max_budget: 5, budget_duration: "30d", rpm_limit: 60, tpm_limit: 9000, max_parallel_requests: 2 };

describe("LiteLLM's management routes", () => {
  test("make a key that opens the gateway, and show it as LiteLLM does", async () => {
    const { ask, books } = stage;
    const made = await ask(MASTER, "POST /key/generate", {
      key_alias: "ci",
      user_id: "ann",
      team_id: "core",
      models: ["gpt"],
      duration: "2d",
      metadata: { purpose: "tests", size: 3 },
      ...LIMITS,
    });
    const record = await books.keys.find(hash("sha256", made["key"] as string));
    expect(record).toMatchObject({
      name: "ci",
      owner: { kind: "user", id: "ann" },
      teamId: "core",
      models: ["gpt"],
      limits: { budget: { usd: 5, period: "month" }, requestsPerMinute: 60, tokensPerMinute: 9000, parallel: 2 },
      expiresAt: NOW + 2 * 86_400_000,
      admin: false,
    });
    const { info } = await ask(MASTER, `GET /key/info?key=${String(made["key"])}`);
    expect(info).toEqual({
      token: record?.hash,
      token_id: record?.hash,
      key_name: record?.hint,
      key_alias: "ci",
      spend: 0,
      expires: "2026-11-27T12:00:00.000Z",
      models: ["gpt"],
      user_id: "ann",
      team_id: "core",
      metadata: { purpose: "tests", size: "3" },
      blocked: false,
      created_at: "2026-11-25T12:00:00.000Z",
      ...LIMITS,
      budget_duration: "1mo",
    });
  });

  test("change what is named, keep what is not, and empty what is null", async () => {
    const { ask, madeKey, books } = stage;
    const { record } = await madeKey({ models: ["gpt"], duration: "1d", ...LIMITS });
    await ask(MASTER, "POST /key/update", {
      key: record.hash,
      rpm_limit: null,
      tpm_limit: 1,
      models: [],
      duration: "-1",
    });
    const changed = await books.keys.get(record.id);
    expect([changed?.limits, changed?.models, changed?.expiresAt]).toEqual([
      { budget: { usd: 5, period: "month" }, tokensPerMinute: 1, parallel: 2 },
      undefined,
      undefined,
    ]);
  });

  test("block a key at once and give it back as it was", async () => {
    const { ask, refusal, madeKey, books } = stage;
    const { key, record } = await madeKey({ duration: "1d", metadata: { a: "b" } });
    expect(await ask(MASTER, "POST /key/block", { key })).toMatchObject({
      blocked: true,
      expires: "2026-11-26T12:00:00.000Z",
    });
    await ask(MASTER, "POST /key/block", { key });
    expect((await books.keys.get(record.id))?.expiresAt).toBe(NOW);
    expect(await refusal(MASTER, "POST /key/update", { key, duration: "9d" })).toBe("bad_request");
    await ask(MASTER, "POST /key/update", { key, metadata: { c: "d" } });
    expect(await ask(MASTER, "POST /key/unblock", { key })).toMatchObject({ blocked: false, metadata: { c: "d" } });
    expect((await books.keys.get(record.id))?.expiresAt).toBe(record.expiresAt);
  });

  test("regenerate and delete keys, and list those that are left", async () => {
    const { ask, refusal, madeKey, books } = stage;
    const [one, two, three] = [await madeKey({ key_alias: "a" }), await madeKey({ key_alias: "b" }), await madeKey({})];
    const fresh = await ask(MASTER, "POST /key/regenerate", { key: one.key });
    expect(await books.keys.find(hash("sha256", fresh["key"] as string))).toMatchObject({ id: one.record.id });
    expect(await refusal(MASTER, "POST /key/delete", { keys: ["sk-none"] })).toBe("key_not_found");
    expect(await ask(MASTER, "POST /key/delete", { keys: [two.key] })).toEqual({ deleted_keys: [two.key] });
    await ask(MASTER, "POST /key/delete", { key_aliases: ["unnamed"] });
    expect((await books.keys.get(three.record.id))?.revokedAt).toBe(NOW);
    expect(await ask(MASTER, "GET /key/list")).toEqual({
      keys: [hash("sha256", fresh["key"] as string)],
      total_count: 1,
      current_page: 1,
      total_pages: 1,
    });
  });

  test("keep users and teams with their limits and spend", async () => {
    const { ask, refusal, madeKey, spend } = stage;
    await ask(MASTER, "POST /team/new", { team_id: "core", team_alias: "Core", max_budget: 9, models: ["gpt"] });
    const user = await ask(MASTER, "POST /user/new", { user_id: "ann", user_email: "ann@example.org", max_budget: 3 });
    expect(typeof user["key"]).toBe("string");
    expect(await refusal(MASTER, "POST /team/new", { team_id: "core" })).toBe("bad_request");
    expect(await refusal(MASTER, "POST /team/update", { team_id: "none" })).toBe("not_found");
    const { record, caller } = await madeKey({ user_id: "ann", team_id: "core" });
    await spend(record, "c1", 0.1);
    await spend(record, "c2", 0.2);
    const team = await ask(caller, "GET /team/info");
    expect(team["team_info"]).toMatchObject({ team_id: "core", team_alias: "Core", max_budget: 9, spend: 0.1 + 0.2 });
    expect(team["keys"]).toHaveLength(1);
    const info = await ask(caller, "GET /user/info");
    expect(info["user_info"]).toMatchObject({
      user_id: "ann",
      user_alias: "ann@example.org",
      max_budget: 3,
      spend: 0.1 + 0.2,
    });
    expect(info["keys"]).toHaveLength(2);
    expect(info["teams"]).toMatchObject([{ team_id: "core" }]);
    expect(await ask(MASTER, "POST /team/update", { team_id: "core", max_budget: null })).toMatchObject({
      team_id: "core",
      data: { max_budget: null, models: ["gpt"] },
    });
    expect(await ask(MASTER, "GET /team/list")).toMatchObject([{ team_id: "core", spend: 0.1 + 0.2 }]);
  });

  test("show what was spent, call by call and by day", async () => {
    const { ask, madeKey, spend } = stage;
    const { record, caller } = await madeKey({ user_id: "ann" });
    const other = await madeKey({ user_id: "bob" });
    await spend(record, "c1", 0.1);
    await spend(other.record, "c2", 0.4);
    const [line] = (await ask(caller, "GET /spend/logs?api_key=anything")) as unknown as readonly object[];
    expect(line).toEqual({
      request_id: "c1",
      call_type: "acompletion",
      api_key: record.hash,
      spend: 0.1,
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      startTime: "2026-11-25T12:00:00.000Z",
      endTime: "2026-11-25T12:00:00.250Z",
      request_duration_ms: 250,
      user: "ann",
      team_id: "",
      end_user: "eve",
      model: "gpt-4o",
      model_id: "d1",
      model_group: "gpt",
      custom_llm_provider: "openai",
      cache_hit: "False",
      status: "success",
      request_tags: [],
      metadata: { outcome: "ok", priced: true, estimated: false },
    });
    expect(await ask(MASTER, "GET /spend/logs?start_date=2026-11-25&end_date=2026-11-25")).toEqual([
      { startTime: "2026-11-25", spend: 0.5, users: { ann: 0.1, bob: 0.4 }, models: { gpt: 0.5 } },
    ]);
    expect(await ask(MASTER, "GET /spend/logs")).toHaveLength(2);
    expect(await ask(MASTER, "GET /global/spend")).toEqual({ spend: 0.5, max_budget: null });
    expect(await ask(MASTER, "GET /customer/info?end_user_id=eve")).toMatchObject({ user_id: "eve", spend: 0.5 });
  });

  test("describe models without their keys and addresses, and their health without a call", async () => {
    const { ask, madeKey } = stage;
    const { caller } = await madeKey({ models: ["gpt"] });
    const { data } = await ask(caller, "GET /v1/model/info");
    expect(data).toEqual([
      {
        model_name: "gpt",
        litellm_params: { model: "openai/gpt-4o" },
        model_info: expect.objectContaining({
          id: "d1",
          mode: "chat",
          max_input_tokens: 128_000,
          input_cost_per_token: 2.5e-6,
          output_cost_per_token: 1e-5,
        }) as unknown,
      },
    ]);
    expect((await ask(MASTER, "GET /model_group/info"))["data"]).toHaveLength(2);
    expect(await ask(MASTER, "GET /health")).toMatchObject({
      healthy_count: 1,
      unhealthy_count: 1,
      unhealthy_endpoints: [{ model_id: "d2", error: "It said no." }],
    });
    const everything = JSON.stringify([await ask(MASTER, "GET /model/info"), await ask(MASTER, "GET /health")]);
    expect(everything).not.toMatch(/sk-provider|inner/);
  });

  test("let an ordinary key see only its own", async () => {
    const { ask, refusal, madeKey } = stage;
    const [ann, bob] = [await madeKey({ user_id: "ann", team_id: "core" }), await madeKey({ user_id: "bob" })];
    await ask(MASTER, "POST /team/new", { team_id: "other" });
    const lines = [
      `GET /key/info?key=${bob.key}`,
      "GET /key/info?key=sk-of-nobody",
      "GET /user/info?user_id=bob",
      "GET /team/info?team_id=other",
      "GET /key/list",
      "GET /team/list",
      "GET /global/spend",
      "GET /customer/info?end_user_id=eve",
      "GET /health",
      "GET /cache/ping",
      ...["generate", "update", "delete", "block", "unblock", "regenerate"].map((verb) => `POST /key/${verb}`),
      "POST /user/new",
      "POST /user/update",
      "POST /team/new",
      "POST /team/update",
    ];
    const refusals = await Promise.all(lines.map((line) => refusal(ann.caller, line, { key: ann.key })));
    expect(refusals).toEqual(lines.map(() => "forbidden"));
    expect(await ask(ann.caller, "GET /key/info")).toMatchObject({ key: ann.record.hash });
  });

  test("refuse what would narrow a key in ways that are not served, and what makes no sense", async () => {
    const { refusal } = stage;
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
    expect(await Promise.all(bodies.map((body) => refusal(MASTER, "POST /key/generate", body)))).toEqual([
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
    expect(await refusal(MASTER, "DELETE /key/info")).toBe("not_found");
  });
});
