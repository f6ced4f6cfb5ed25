import { expect, test } from "vitest";
import { type Fields, ISO, type Master, type Stage } from "./litellm-stage.ts";

/** What was spent. */
export function spendTests(stage: Stage, as: Master): void {
  test("show what was spent, call by call and by day", async () => {
    const { ask, madeKey, spend } = stage();
    const [dan, eli] = [await madeKey({ user_id: "dan" }), await madeKey({ user_id: "eli" })];
    const id = await spend(dan.key);
    await spend(eli.key);
    const lines = (await ask(dan.key, "GET /spend/logs?api_key=anything")) as unknown as readonly Fields[];
    expect(lines).toEqual([
      {
        request_id: id,
        call_type: "acompletion",
        api_key: dan.hash,
        spend: 0.1,
        prompt_tokens: 30_000,
        completion_tokens: 2500,
        total_tokens: 32_500,
        startTime: ISO,
        endTime: ISO,
        request_duration_ms: expect.any(Number) as unknown,
        user: "dan",
        team_id: "",
        end_user: "eve",
        model: "gpt-4o",
        model_id: "d1",
        model_group: "gpt",
        custom_llm_provider: "openai_compatible",
        cache_hit: "False",
        status: "success",
        request_tags: [],
        metadata: { outcome: "ok", priced: true, estimated: false },
      },
    ]);
    const day = String(lines[0]?.["startTime"]).slice(0, 10);
    expect(await ask(as(), `GET /spend/logs?start_date=${day}&end_date=${day}&api_key=${eli.hash}`)).toEqual([
      { startTime: day, spend: 0.1, users: { eli: 0.1 }, models: { gpt: 0.1 } },
    ]);
    const { spend: all } = await ask(as(), "GET /global/spend");
    const { rows } = (await ask(as(), "GET /api/gateway/spend?by=day")) as {
      readonly rows: readonly { costUsd: number }[];
    };
    expect(all).toBeCloseTo(
      rows.reduce((sum, { costUsd }) => sum + costUsd, 0),
      9,
    );
    const customer = await ask(as(), "GET /customer/info?end_user_id=eve");
    expect(customer["user_id"]).toBe("eve");
    expect(await ask(as(), "GET /end_user/info?end_user_id=eve")).toEqual(customer);
    expect(customer["spend"]).toBeCloseTo(all as number, 9);
  });
}

/** Models, health and probes. */
export function modelTests(stage: Stage, as: Master): void {
  test("describe models without their keys and addresses, and their health without a call", async () => {
    const { ask, refusal, madeKey } = stage();
    const { key } = await madeKey({ models: ["gpt"] });
    const { data } = await ask(key, "GET /v1/model/info");
    expect(data).toEqual([
      {
        model_name: "gpt",
        litellm_params: { model: "openai_compatible/gpt-4o" },
        model_info: expect.objectContaining({
          id: "d1",
          mode: "chat",
          max_input_tokens: 128_000,
          input_cost_per_token: 2.5e-6,
          output_cost_per_token: 1e-5,
        }) as unknown,
      },
    ]);
    expect((await ask(as(), "GET /model_group/info"))["data"]).toHaveLength(2);
    const messages = [{ role: "user", content: "hi" }];
    expect(await refusal(as(), "POST /v1/chat/completions", { model: "other/x", messages })).not.toBe("answered");
    expect(await ask(as(), "GET /health")).toMatchObject({
      healthy_count: 1,
      unhealthy_count: 1,
      unhealthy_endpoints: [{ model_id: "d2", error: expect.any(String) }],
    });
    const everything = JSON.stringify([await ask(as(), "GET /model/info"), await ask(as(), "GET /health")]);
    expect(everything).toContain(`"model_name":"gpt"`);
    expect(everything).not.toMatch(/sk-provider|inner/);
    expect(await ask(as(), "GET /cache/ping")).toMatchObject({ cache_type: "local" });
  });

  test("say without a key that the gateway is there, and whether its books are", async () => {
    const { url } = stage();
    const probe = async (path: string) => (await fetch(url + path)).json();
    expect(await Promise.all(["liveliness", "liveness", "readiness"].map((name) => probe(`/health/${name}`)))).toEqual([
      "I'm alive!",
      "I'm alive!",
      { status: "healthy", db: "connected" },
    ]);
  });
}
