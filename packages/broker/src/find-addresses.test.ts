import { expect, test, vi } from "vitest";
import { hostsNamed } from "./allow-list.ts";
import { findAddresses } from "./find-addresses.ts";
import { parseHost } from "./host.ts";

test("only the private hosts that the operator names are reached, and only in private networks", async () => {
  const privateHosts = ["git.corp.test", ".lan.test", "10.0.0.7"];
  const asked = async (host: string, addresses: readonly string[]) => {
    const found = await findAddresses(parseHost(host) ?? { name: "", address: false }, {
      resolve: async () => addresses,
      mayBePrivate: hostsNamed(privateHosts),
      allowLoopback: false,
      ownAddresses: () => [],
    });
    return "code" in found ? found.code : found;
  };
  expect(await asked("git.corp.test", ["10.0.0.1", "fd12::1"])).toEqual(["10.0.0.1", "fd12::1"]);
  expect(await asked("a.lan.test", ["192.168.3.4", "1.1.1.1"])).toEqual(["192.168.3.4", "1.1.1.1"]);
  expect(await asked("10.0.0.7", [])).toEqual(["10.0.0.7"]);
  // A name of somebody else's that leads into the same network, a neighbour of the name, and the name without its dot.
  expect(await asked("evil.test", ["10.0.0.1"])).toBe("address_forbidden");
  expect(await asked("git.corp.test.evil.test", ["10.0.0.1"])).toBe("address_forbidden");
  expect(await asked("lan.test", ["10.0.0.1"])).toBe("address_forbidden");
  expect(await asked("10.0.0.8", [])).toBe("address_forbidden");
  // What is never reached, whoever names it.
  expect(await asked("git.corp.test", ["127.0.0.1"])).toBe("address_forbidden");
  expect(await asked("git.corp.test", ["10.0.0.1", "169.254.169.254"])).toBe("address_forbidden");
});

test("a name with very many addresses, or whose resolver never answers, is not resolved", async () => {
  const settings = { mayBePrivate: () => false, allowLoopback: false, ownAddresses: () => [] };
  const host = { name: "a.test", address: false };
  const many = (count: number) => async () => Array.from({ length: count }, (_, index) => `93.184.215.${index}`);
  expect(await findAddresses(host, { ...settings, resolve: many(32) })).toHaveLength(32);
  expect(await findAddresses(host, { ...settings, resolve: many(33) })).toMatchObject({ code: "name_unresolved" });
  vi.useFakeTimers();
  const late = findAddresses(host, { ...settings, resolve: () => new Promise(() => undefined) });
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  expect(await late).toMatchObject({ code: "name_unresolved" });
});
