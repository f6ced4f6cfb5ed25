import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isHeld, runningServer } from "./running-server.ts";

let home = "";
beforeEach(() => (home = mkdtempSync(path.join(tmpdir(), "handrail-running-"))));
afterEach(() => rmSync(home, { recursive: true }));

const describeServer = (content: unknown) => writeFileSync(path.join(home, "server.json"), JSON.stringify(content));
/** Linux gives out no process ids above 4,194,304 (proc(5), pid_max). */
const DEAD = 4_194_305;

async function withHttp(status: number, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const known = request.headers.authorization === "Bearer secret";
    response.writeHead(known ? status : 401, { "content-type": "application/json" });
    response.end(JSON.stringify({ userId: "local", teams: [], version: "1", homeDirectory: "/" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  server.close();
}

test("a server that lives and answers to its token is found", async () => {
  await withHttp(200, async (url) => {
    const file = { url, token: "secret", pid: process.pid };
    describeServer(file);
    expect(await runningServer(home)).toEqual(file);
  });
});

test("the file of a dead server, of another's token, or no file at all is no server", async () => {
  expect(await runningServer(home)).toBeUndefined();
  await withHttp(200, async (url) => {
    describeServer({ url, token: "secret", pid: DEAD });
    expect(await runningServer(home)).toBeUndefined();
    describeServer({ url, token: "other", pid: process.pid });
    expect(await runningServer(home)).toBeUndefined();
    writeFileSync(path.join(home, "server.json"), "{");
    expect(await runningServer(home)).toBeUndefined();
  });
});

test("a state directory is held while its owner lives", () => {
  expect(isHeld(home)).toBe(false);
  writeFileSync(path.join(home, "lock.owner"), `${DEAD}\nhost\n`);
  expect(isHeld(home)).toBe(false);
  writeFileSync(path.join(home, "lock.owner"), `${process.pid}\nhost\n`);
  expect(isHeld(home)).toBe(true);
});
