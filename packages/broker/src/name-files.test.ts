import { expect, test } from "vitest";
import { addressesIn, namesAreKnownBy, searchedNames } from "./name-files.ts";

test.for([
  ["", true],
  ["hosts: files dns\n", true],
  [
    "passwd: files sss\nhosts:          files mymachines resolve [!UNAVAIL=return] dns myhostname # as it comes\n",
    true,
  ],
  ["hosts: files mdns4_minimal [NOTFOUND=return] dns", true],
  ["hosts: files [SUCCESS=merge UNAVAIL=continue] dns", true],
  ["hosts: files dns ldap", false],
  ["hosts: files nis", false],
  ["hosts: dns", false],
] as const)("what other sources a system has: %j", ([sources, expected]) => {
  expect(namesAreKnownBy({ sources }, "a.test")).toBe(expected);
});

test("names of the local network are told by others where the system asks them", () => {
  const sources = "hosts: files mdns4_minimal [NOTFOUND=return] dns";
  expect([sources, "hosts: files dns"].map((text) => namesAreKnownBy({ sources: text }, "a.local"))).toEqual([
    false,
    true,
  ]);
});

test("the file of hosts has addresses for names and other names, whatever their letters", () => {
  const hosts =
    "127.0.0.1\tlocalhost\n10.0.0.1 a.test  A.Lan # b.test\n#10.0.0.2 a.test\nfd00::1 a.test\nnonsense a.test\n";
  expect(addressesIn({ hosts }, "A.test")).toEqual(["10.0.0.1", "fd00::1"]);
  expect(addressesIn({ hosts }, "a.lan.")).toEqual(["10.0.0.1"]);
  expect(["b.test", "10.0.0.1", ""].map((name) => addressesIn({ hosts }, name))).toEqual([[], [], []]);
});

test("a name is searched as resolv.conf says", () => {
  const resolver = "nameserver 10.0.0.1\nsearch ns.svc.cluster.test svc.cluster.test\noptions ndots:2 edns0\n";
  expect(searchedNames({ resolver }, "git.ns")).toEqual([
    "git.ns.ns.svc.cluster.test",
    "git.ns.svc.cluster.test",
    "git.ns",
  ]);
  expect(searchedNames({ resolver }, "a.b.test")[0]).toBe("a.b.test");
  expect(searchedNames({ resolver }, "git.ns.")).toEqual(["git.ns."]);
  expect(searchedNames({ resolver: "domain corp.test\n" }, "git")).toEqual(["git.corp.test", "git"]);
  expect(searchedNames({ resolver: "nameserver 1.1.1.1\n" }, "git")).toEqual(["git"]);
});
