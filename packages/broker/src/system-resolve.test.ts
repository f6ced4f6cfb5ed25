import { lookup } from "node:dns/promises";
import { expect, onTestFinished, test } from "vitest";
import type { NameFiles } from "./name-files.ts";
import { resolveBy, systemResolve } from "./system-resolve.ts";
import { startNameServer, type Zone } from "./testing/name-server.ts";

const PLAIN = { hosts: "10.9.8.7 known.test\n", resolver: "", sources: "hosts: files dns" };

async function resolver(zone: Zone, files: Partial<NameFiles> = {}, timeoutMs = 2_000) {
  const { at, asked, close } = await startNameServer(zone);
  onTestFinished(close);
  const resolve = (name: string) => resolveBy(name, async () => ({ ...PLAIN, ...files }), { servers: [at], timeoutMs });
  return { resolve, asked };
}

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  "A both.test": ["192.0.2.1", "192.0.2.2"],
  "AAAA both.test": ["2001:db8::1"],
  "A four.test": ["192.0.2.4"],
  "AAAA six.test": ["2001:db8::6"],
  "A git.corp.test": ["192.0.2.9"],
};
const zone: Zone = (name, kind) => {
  if (name.startsWith("slow")) return undefined;
  if (name.startsWith("half")) return kind === "A" ? ["192.0.2.5"] : undefined;
  const known = ADDRESSES[`${kind} ${name}`];
  if (known !== undefined) return known;
  return Object.keys(ADDRESSES).some((key) => key.endsWith(` ${name}`)) ? [] : "no such name";
};

test("a name has the addresses of both kinds, IPv4 first", async () => {
  const { resolve } = await resolver(zone);
  const names = ["both.test", "four.test", "six.test", "none.test"];
  expect(await Promise.all(names.map(resolve))).toEqual([
    ["192.0.2.1", "192.0.2.2", "2001:db8::1"],
    ["192.0.2.4"],
    ["2001:db8::6"],
    [],
  ]);
});

test("what the file of hosts has is not asked for", async () => {
  const { resolve, asked } = await resolver(zone);
  expect(await resolve("known.test")).toEqual(["10.9.8.7"]);
  expect(asked).toEqual([]);
});

test("the search list is gone through", async () => {
  const { resolve } = await resolver(zone, { resolver: "search nowhere.test corp.test\n" });
  expect(await resolve("git")).toEqual(["192.0.2.9"]);
});

test("a server that does not answer for one kind of address does not hold up the other", async () => {
  // Whoever waited for both would wait longer than a test may take.
  const { resolve } = await resolver(zone, {}, 1_000_000);
  expect(await resolve("half.test")).toEqual(["192.0.2.5"]);
});

test("names that are never answered keep no other names from theirs, and fail", async () => {
  const { resolve } = await resolver(zone, {}, 500);
  const slow = Array.from({ length: 40 }, (_, index) => resolve(`slow-${index}.test`));
  const failed = Promise.allSettled(slow);
  let over = 0;
  for (const each of slow) each.catch(() => over++);
  expect([await resolve("four.test"), over]).toEqual([["192.0.2.4"], 0]);
  expect(new Set((await failed).map(({ status }) => status))).toEqual(new Set(["rejected"]));
});

test("where the system has other sources, or nothing to be asked, its own function is", async () => {
  const { resolve, asked } = await resolver(zone, { sources: "hosts: files ldap dns" });
  const own = (await lookup("localhost", { all: true })).map(({ address }) => address);
  expect(await resolve("localhost")).toEqual(own);
  expect(asked).toEqual([]);
  expect(await systemResolve("localhost")).toContain("127.0.0.1");
});
