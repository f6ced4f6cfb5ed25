import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSecretSetting } from "./secret-setting.ts";
import { type AnsweringServer, answeringServer } from "./testing/answering-server.ts";

const VALUE = "s3cret-value-1";
let server: AnsweringServer;

const STORED = {
  name: "KEY",
  scope: { type: "owner" },
  use: { type: "file" },
  createdAt: 1,
  changedAt: 1,
  lastUsedAt: null,
};
const ANSWERS = { GET: { secrets: [STORED] }, PUT: STORED, DELETE: {} };

beforeEach(async () => {
  server = await answeringServer(ANSWERS);
});
afterEach(() => server.close());

const run = (argv: readonly string[], input: NodeJS.ReadableStream = Readable.from([])) => server.run(argv, input);

const terminal = (typed: string) => {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  input.write(typed);
  return input;
};

test("a value from stdin goes to the server without its line end, and is not printed", async () => {
  const done = await run(["secrets", "set", "KEY", "--file"], Readable.from([VALUE, "\n"]));
  expect(done).toEqual({
    code: 0,
    out: "KEY                   never used        file (all conversations)\n",
    err: "",
  });
  expect(server.requests).toEqual([
    ["PUT /api/secrets/KEY", { scope: { type: "owner" }, use: { type: "file" }, value: VALUE }],
  ]);
});

test("at a terminal the value is asked for and not shown", async () => {
  const done = await run(["secrets", "set", "KEY", "--file"], terminal(`${VALUE}\r`));
  expect(done).toMatchObject({ code: 0, err: "Value of KEY (not shown): \n" });
  expect(server.requests).toMatchObject([["PUT /api/secrets/KEY", { value: VALUE }]]);
});

test("Ctrl-C at the prompt sets nothing", async () => {
  expect(await run(["secrets", "set", "KEY", "--file"], terminal("half\x03"))).toMatchObject({ code: 130, out: "" });
  expect(server.requests).toEqual([]);
});

test("a use can be changed without the value", async () => {
  expect(await run(["secrets", "set", "KEY", "--file", "--keep-value", "--json"])).toMatchObject({ code: 0, err: "" });
  expect(server.requests).toEqual([["PUT /api/secrets/KEY", { scope: { type: "owner" }, use: { type: "file" } }]]);
});

test("secrets are listed and removed by name", async () => {
  const { out } = await run(["secrets", "list", "--json"]);
  expect(JSON.parse(out)).toMatchObject({ name: "KEY", lastUsedAt: null });
  expect(await run(["secrets", "remove", "KEY"])).toEqual({ code: 0, out: "", err: "KEY is removed.\n" });
  expect(server.requests).toEqual([
    ["GET /api/secrets", null],
    ["GET /api/secrets", null],
    ["DELETE /api/secrets/KEY", null],
  ]);
});

test("a secret that is not there is not said to be removed", async () => {
  for (const argv of [["KEYS"], ["KEY", "--team", "core"]]) {
    const { code, err } = await run(["secrets", "remove", ...argv]);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(`There is no secret ${argv[0]}`) });
  }
  expect(server.requests).toEqual([
    ["GET /api/secrets", null],
    ["GET /api/secrets", null],
  ]);
});

test("a team's secret is set, listed and removed as the team's", async () => {
  server.close();
  const scope = { type: "team", teamId: "core" };
  server = await answeringServer({ ...ANSWERS, GET: { secrets: [{ ...STORED, scope }] } });
  expect(await run(["secrets", "set", "KEY", "--file", "--team", "core", "--keep-value"])).toMatchObject({ code: 0 });
  const { out } = await run(["secrets", "list"]);
  expect(out).toBe("KEY                   never used        file (team core)\n");
  expect(await run(["secrets", "remove", "KEY", "--team", "core"])).toMatchObject({ code: 0 });
  expect(server.requests).toEqual([
    ["PUT /api/secrets/KEY", { scope, use: { type: "file" } }],
    ["GET /api/secrets", null],
    ["GET /api/secrets", null],
    ["DELETE /api/secrets/KEY?team=core", null],
  ]);
});

test.each([
  [["set", "KEY"], "Give one use"],
  [["set", "KEY", "--file", "--git", "g.example.org"], "Give one use"],
  [["set", "KEY", "--header", "Bearer {secret}"], "Say which hosts"],
  [["set", "KEY", "--header", "Bearer", "--host", "a.example.org"], "must contain {secret}"],
  [["set", "KEY", "--host", "https://a.example.org"], "is not a host"],
  [["set", "KEY", "--git", "g.example.org"], "Say which repositories"],
  [["set", "KEY", "--git", "g.example.org", "--push", "owner/repo"], "names no branch"],
  [["set", "KEY", "--file", "--env", "PATH"], "environment: is taken"],
  [["set", "KEY", "--file", "--repo", "a", "--team", "core"], "Give --repo or --team"],
  [["set", "1KEY", "--file"], "must be a letter"],
  [["set", "KEY", "--file"], "No value came"],
])("secrets %j is refused with 2 and says what to give", async (argv, sentence) => {
  const { code, out, err } = await run(["secrets", ...argv]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(sentence);
  expect(server.requests).toEqual([]);
});

test("the options become the use that is asked for", () => {
  expect(
    readSecretSetting({
      header: "X-Api-Key: {secret}",
      host: ["API.example.org:8443/v1/**", ".example.net"],
      env: "KEY",
    }),
  ).toEqual({
    scope: { type: "owner" },
    use: {
      type: "header",
      header: "X-Api-Key",
      format: "{secret}",
      hosts: [{ host: "api.example.org", port: 8443, path: "/v1/**" }, { host: ".example.net" }],
    },
    environment: "KEY",
  });
  expect(
    readSecretSetting({
      git: "g.example.org",
      fetch: ["o/*"],
      push: ["o/r:handrail/*,fix"],
      repo: "https://g.example.org/o/r",
    }),
  ).toEqual({
    scope: { type: "repository", url: "https://g.example.org/o/r" },
    use: {
      type: "git",
      host: "g.example.org",
      repositories: ["o/*"],
      push: [{ repository: "o/r", branches: ["handrail/*", "fix"] }],
    },
  });
});
