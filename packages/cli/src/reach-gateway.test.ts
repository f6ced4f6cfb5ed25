import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";
import { capturedScreen } from "./testing/captured-screen.ts";

let home = "";
let server: Server;
let url = "";
let answer: { readonly status: number; readonly body: unknown };
let keys: (string | undefined)[];

beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), "handrail-cli-"));
  answer = { status: 200, body: { keys: [] } };
  keys = [];
  server = createServer((request, response) => {
    keys.push(request.headers.authorization);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true });
});

type Gateway = { readonly url?: string; readonly key?: string };

async function run(argv: readonly string[], gateway: Gateway = {}) {
  const screen = capturedScreen();
  const interrupts = { signal: new AbortController().signal, release: () => {} };
  const code = await runCli(argv, { screen, cwd: home, home, interrupts, gateway });
  return { code, ...screen.written };
}

const problem = (status: number, code: string) => ({
  status,
  body: { type: "about:blank", title: code, status, code, detail: "No.", details: {} },
});

test("a gateway that runs alone is asked with the key of a file, of the environment, or that it made on this machine", async () => {
  writeFileSync(path.join(home, "key"), "sk-file\n");
  writeFileSync(path.join(home, "gateway-master-key"), "sk-made\n");
  const environment = { url, key: "sk-environment" };
  const list = ["keys", "list", "--json"];
  expect(await run([...list, "--gateway", `${url}/v1/`, "--gateway-key-file", "key"], environment)).toMatchObject({
    code: 0,
  });
  expect(await run(list, environment)).toMatchObject({ code: 0, out: "" });
  expect(await run([...list, "--gateway", url])).toMatchObject({ code: 0 });
  expect(keys).toEqual(["Bearer sk-file", "Bearer sk-environment", "Bearer sk-made"]);
});

test("the key of this machine's gateway is not told to another's", async () => {
  writeFileSync(path.join(home, "gateway-master-key"), "sk-made\n");
  const { code, err } = await run(["keys", "list", "--gateway", "http://gateway.invalid:4000"]);
  expect({ code, err }).toEqual({
    code: 2,
    err: "Say which key to use: set HANDRAIL_GATEWAY_KEY, or give --gateway-key-file FILE.\n",
  });
});

test("what a gateway refuses is told with its address and what to do", async () => {
  const at = { url, key: "sk-1" };
  const told = async () => {
    const { code, err } = await run(["spend"], at);
    return [code, err];
  };
  answer = problem(401, "key_invalid");
  expect(await told()).toEqual([
    1,
    `The gateway at ${url} does not know this key, or it was revoked. Use its master key or an admin's. (key_invalid)\n`,
  ]);
  answer = problem(403, "forbidden");
  expect(await told()).toEqual([
    1,
    `This key may not manage the gateway at ${url}. Use its master key or an admin's. (forbidden)\n`,
  ]);
  answer = { status: 404, body: { error: "nothing" } };
  expect(await told()).toEqual([
    2,
    `What answers at ${url} is no gateway of Handrail. Check the address. (not_found)\n`,
  ]);
});

test("an address that nobody answers at, or that is none, is named", async () => {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
  expect(await run(["keys", "list"], { url, key: "sk-1" })).toMatchObject({
    code: 1,
    err: `No gateway answers at ${url}. Is it running, and is the address right? (server_unreachable)\n`,
  });
  expect(await run(["keys", "list", "--gateway", "here"])).toMatchObject({
    code: 2,
    err: "here is no address of a gateway. Give one such as http://127.0.0.1:4000.\n",
  });
});
