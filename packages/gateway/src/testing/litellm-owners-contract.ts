import { expect, test } from "vitest";
import { type Fields, ISO, type Master, type Stage } from "./litellm-stage.ts";

/** Users and teams, and what an ordinary key reads of its own. */
export function ownerTests(stage: Stage, as: Master): void {
  test("keep users and teams with their limits and spend, as the page and the terminal show them", async () => {
    const { ask, refusal, madeKey, spend } = stage();
    await ask(as(), "POST /team/new", { team_id: "core", team_alias: "Core", max_budget: 9, models: ["gpt"] });
    const user = await ask(as(), "POST /user/new", { user_id: "bea", user_email: "bea@example.org", max_budget: 3 });
    expect(typeof user["key"]).toBe("string");
    expect(await refusal(as(), "POST /team/new", { team_id: "core" })).toBe("bad_request");
    expect(await refusal(as(), "POST /team/update", { team_id: "none" })).toBe("not_found");
    const { key } = await madeKey({ user_id: "bea", team_id: "core" });
    await spend(key);
    await spend(key);
    const team = await ask(key, "GET /team/info");
    expect(team["team_info"]).toMatchObject({ team_id: "core", team_alias: "Core", max_budget: 9, spend: 0.2 });
    expect(team["keys"]).toHaveLength(1);
    const info = await ask(key, "GET /user/info");
    expect(info["user_info"]).toMatchObject({
      user_id: "bea",
      user_alias: "bea@example.org",
      max_budget: 3,
      spend: 0.2,
    });
    expect(info["keys"]).toHaveLength(2);
    expect(info["teams"]).toMatchObject([{ team_id: "core" }]);
    expect(await ask(as(), "POST /team/update", { team_id: "core", max_budget: null })).toMatchObject({
      team_id: "core",
      data: { max_budget: null, models: ["gpt"] },
    });
    expect(await ask(as(), "GET /team/list")).toMatchObject([{ team_id: "core", spend: 0.2 }]);

    await ask(as(), "PUT /api/gateway/owners/team/by-hand", { name: "By hand", limits: { parallel: 7 } });
    const byHand = { team_alias: "By hand", max_parallel_requests: 7 };
    expect(await ask(as(), "GET /team/info?team_id=by-hand")).toMatchObject({ team_info: byHand });
    const { owners } = (await ask(as(), "GET /api/gateway/owners")) as { readonly owners: readonly Fields[] };
    expect(owners.find(({ id }) => id === "bea")).toMatchObject({
      kind: "user",
      name: "bea@example.org",
      limits: { budget: { usd: 3, period: "total" } },
      spentUsd: 0.2,
    });
  });

  /** What CodexBar asks, in its order and with an ordinary key, and what it reads of the answers. */
  test("tell an ordinary key who it is and what its user and team have left", async () => {
    const { ask, madeKey, spend } = stage();
    await ask(as(), "POST /team/new", { team_id: "bar", team_alias: "Bar", max_budget: 8, budget_duration: "7d" });
    await ask(as(), "POST /user/new", { user_id: "cy", user_alias: "Cy", max_budget: 4, budget_duration: "1d" });
    const person = await madeKey({ user_id: "cy", team_id: "bar" });
    const robot = await madeKey({ team_id: "bar" });
    await spend(person.key);
    const who = (await ask(person.key, "GET /key/info"))["info"] as { readonly user_id: string };
    expect(who).toMatchObject({
      key_name: expect.any(String),
      spend: 0.1,
      expires: null,
      user_id: "cy",
      team_id: "bar",
    });
    const user = await ask(person.key, `GET /user/info?user_id=${who.user_id}`);
    const bar = {
      team_id: "bar",
      team_alias: "Bar",
      max_budget: 8,
      spend: 0.1,
      budget_duration: "7d",
      budget_reset_at: ISO,
    };
    expect(user).toMatchObject({
      user_id: "cy",
      user_info: { user_id: "cy", user_alias: "Cy", max_budget: 4, spend: 0.1, budget_reset_at: ISO },
      teams: [bar],
    });
    expect(await ask(robot.key, "GET /key/info")).toMatchObject({ info: { user_id: null, team_id: "bar", spend: 0 } });
    expect(await ask(robot.key, "GET /team/info?team_id=bar")).toMatchObject({ team_id: "bar", team_info: bar });
  });
}
