import { LITELLM_ROUTES } from "@handrail/protocol/litellm-routes";
import { expect, test } from "vitest";
import type { Master, Stage } from "./litellm-stage.ts";

/** Who may call what. */
export function rightsTests(stage: Stage, as: Master): void {
  test("are for whoever the table names, and for nobody without a key", async () => {
    const { url, refusal, madeKey } = stage();
    const { key } = await madeKey({});
    const lines = Object.entries(LITELLM_ROUTES);
    const nobody = await Promise.all(
      lines.map(async ([line]) => {
        const [method = "", path = ""] = line.split(" ");
        const answer = await fetch(url + path, {
          method,
          headers: { cookie: `handrail_session=${as()}; token=${as()}` },
        });
        await answer.arrayBuffer();
        return [line, answer.status, answer.headers.get("x-handrail-error")];
      }),
    );
    expect(nobody).toEqual(lines.map(([line]) => [line, 401, "key_missing"]));
    const wrong = await Promise.all(lines.map(([line]) => refusal("sk-of-nobody", line)));
    expect(wrong).toEqual(lines.map(() => "key_invalid"));
    const ordinary = await Promise.all(
      lines.map(async ([line, { access }]) => [line, access, (await refusal(key, line)) === "forbidden"]),
    );
    expect(ordinary).toEqual(lines.map(([line, { access }]) => [line, access, access === "admin"]));
  });

  test("let an ordinary key see only its own", async () => {
    const { ask, refusal, madeKey } = stage();
    const [fay, gus] = [await madeKey({ user_id: "fay", team_id: "hers" }), await madeKey({ user_id: "gus" })];
    await ask(as(), "POST /team/new", { team_id: "another" });
    const lines = [
      `GET /key/info?key=${gus.key}`,
      `GET /key/info?key=${gus.hash}`,
      "GET /key/info?key=sk-of-nobody",
      "GET /user/info?user_id=gus",
      "GET /team/info?team_id=another",
    ];
    expect(await Promise.all(lines.map((line) => refusal(fay.key, line)))).toEqual(lines.map(() => "forbidden"));
    expect(await ask(fay.key, "GET /key/info")).toMatchObject({ key: fay.hash });
  });

  test("are open to an admin's key as to the master key", async () => {
    const { ask } = stage();
    const { key } = await ask(as(), "POST /api/gateway/keys", { name: "boss", limits: {}, admin: true });
    const made = await ask(key as string, "POST /key/generate", { user_id: "hal" });
    expect(await ask(made["key"] as string, "GET /key/info")).toMatchObject({ info: { user_id: "hal" } });
  });
}
