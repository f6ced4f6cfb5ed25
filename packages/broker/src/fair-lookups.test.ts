import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { fairLookups } from "./fair-lookups.ts";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";

/** A resolver that answers when it is told to, and what it is asked. */
function slowResolver() {
  const asked: string[] = [];
  const waiting = new Map<string, PromiseWithResolvers<readonly string[]>>();
  const resolve = (name: string) => {
    asked.push(name);
    const answer = Promise.withResolvers<readonly string[]>();
    waiting.set(name, answer);
    return answer.promise;
  };
  return {
    asked,
    resolve,
    answer: async (name: string, addresses: readonly string[] | Error = [`address of ${name}`]) => {
      if (addresses instanceof Error) waiting.get(name)?.reject(addresses);
      else waiting.get(name)?.resolve(addresses);
      await turn();
    },
  };
}

test("a conversation's names are looked up one after the other, and those of others beside them", async () => {
  const { asked, resolve, answer } = slowResolver();
  const look = fairLookups(resolve, () => 0);
  const [first, second, other] = [look("c_1", "a"), look("c_1", "b"), look("c_2", "c")];
  await turn();
  expect(asked).toEqual(["a", "c"]);
  await answer("c");
  expect(await other).toEqual(["address of c"]);
  first.catch(() => undefined);
  await answer("a", new Error("the resolver fails"));
  await expect(first).rejects.toThrow("fails");
  expect(asked).toEqual(["a", "c", "b"]);
  await answer("b");
  expect(await second).toEqual(["address of b"]);
});

test("a name is looked up once for all that ask meanwhile, and anew afterwards", async () => {
  const { asked, resolve, answer } = slowResolver();
  const look = fairLookups(resolve, () => 0);
  const both = Promise.all([look("c_1", "a"), look("c_1", "a")]);
  await turn();
  await answer("a");
  expect(await both).toEqual([["address of a"], ["address of a"]]);
  const again = look("c_1", "a");
  await turn();
  await answer("a", ["another address"]);
  expect([await again, asked]).toEqual([["another address"], ["a", "a"]]);
});

test("what has waited for so long that it was given up is not looked up", async () => {
  let now = 0;
  const { asked, resolve, answer } = slowResolver();
  const look = fairLookups(resolve, () => now);
  const first = look("c_1", "a");
  await turn();
  const late = look("c_1", "b");
  now = 1;
  const soon = look("c_1", "c");
  now = 10_000;
  await turn();
  await answer("a");
  expect([await first, await late]).toEqual([["address of a"], []]);
  await turn();
  await answer("c");
  expect([await soon, asked]).toEqual([["address of c"], ["a", "c"]]);
});

test("names that are never found keep no other conversation from its hosts", async () => {
  const servers = testServers();
  const port = await servers.http((_request, response) => response.end("ok"));
  const slots = { free: 2 };
  const { open } = testBroker({
    // As the system does: two at a time.
    async resolve(name) {
      while (slots.free === 0) await turn();
      slots.free -= 1;
      if (name.startsWith("slow")) return new Promise(() => undefined);
      slots.free += 1;
      return ["127.0.0.1"];
    },
  });
  const get = (host: string, conversationId: string) => {
    const client = open([`.test:${port}`], conversationId);
    client.write(`GET http://${host}:${port}/ HTTP/1.1\r\n\r\n`);
    return client;
  };
  const held = Array.from({ length: 10 }, (_, index) => get(`slow-${index}.test`, "c_1"));
  expect(await readAll(get("a.test", "c_2"))).toMatch(/^HTTP\/1\.1 200 [^]*ok$/);
  for (const client of held) client.destroy();
  servers.close();
});
