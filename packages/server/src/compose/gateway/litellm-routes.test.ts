import { isGatewayPath } from "@handrail/gateway/http/gateway-paths";
import { litellmRoutesContract } from "@handrail/gateway/testing/litellm-routes-contract";
import { STAGE_MASTER_KEY } from "@handrail/gateway/testing/litellm-stage";
import { ROUTES } from "@handrail/protocol/routes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCREENS } from "../../http/static-page.ts";
import { litellmStageWithin } from "../../testing/litellm-stage-within.ts";

litellmRoutesContract("the gateway within the server", litellmStageWithin);

describe("a server that answers LiteLLM's routes", () => {
  let stage: Awaited<ReturnType<typeof litellmStageWithin>>;
  beforeAll(async () => {
    stage = await litellmStageWithin();
  });
  afterAll(() => stage.close());

  test("has one user, whose keys are those that its token makes; the file's master key is somebody else", async () => {
    const { id } = await stage.madeKey({});
    expect((await stage.shown(id)).owner).toEqual({ kind: "user", id: "local" });
    const byFile = await stage.ask(STAGE_MASTER_KEY, "POST /key/generate", {});
    expect(byFile).toMatchObject({ user_id: "admin" });
  });

  test("opens none of them by a browser's session, whichever page asks", async () => {
    const { token } = stage.server.tokens.mint(1000);
    const json = { "content-type": "application/json" };
    const body = JSON.stringify({ token });
    const signedIn = await fetch(`${stage.url}/api/session`, { method: "POST", headers: json, body });
    const cookie = signedIn.headers.getSetCookie().map((text) => text.split(";")[0]);
    const statusOf = async (line: string, headers: Record<string, string> = {}) => {
      const [method = "", path = ""] = line.split(" ");
      return (await fetch(stage.url + path, { method, headers: { cookie: cookie.join("; "), ...headers } })).status;
    };
    expect(await statusOf("GET /api/gateway/keys")).toBe(200);
    for (const line of ["GET /key/list", "POST /key/generate", "GET /user/info", "GET /spend/logs"]) {
      const statuses = [await statusOf(line), await statusOf(line, { origin: stage.url })];
      expect([line, ...statuses]).toEqual([line, 401, 401]);
    }
  });

  test("does not take a gateway's key for a session: not an admin's, not the file's master key", async () => {
    const { key } = await stage.ask(stage.master, "POST /api/gateway/keys", { name: "boss", limits: {}, admin: true });
    for (const other of [key as string, STAGE_MASTER_KEY]) {
      const answer = await fetch(`${stage.url}/api/conversations`, { headers: { authorization: `Bearer ${other}` } });
      expect(answer.status).toBe(401);
    }
  });

  test("takes a path with a slash at its end for the same one", async () => {
    const headers = { authorization: `Bearer ${stage.master}` };
    const answers = await Promise.all(
      ["/key/list", "/key/list/"].map(async (path) => (await fetch(stage.url + path, { headers })).status),
    );
    expect(answers).toEqual([200, 200]);
  });

  test("has a page and an API of which no path is the gateway's", () => {
    const files = ["/favicon.ico", "/assets/x.js", "/metrics", "/api/openapi.json", "/api/socket"];
    const own = [...Object.values(ROUTES).map(({ path }) => path), ...SCREENS, ...files];
    const filled = own.map((path) => path.replaceAll(/:[a-z]+/g, "models"));
    expect(filled.filter(isGatewayPath)).toEqual([]);
  });
});
