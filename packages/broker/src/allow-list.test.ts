import type { NetworkPreset } from "@handrail/protocol/network";
import type { NetworkRule } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { check, needsOpening, rulesOf } from "./allow-list.ts";
import { parseTarget } from "./host.ts";
import { PRESET_HOSTS } from "./preset-hosts.ts";

const allow = (hosts: string[], presets: NetworkPreset[] = []): NetworkRule => ({
  type: "allow",
  hosts,
  presets,
});
const codeFor = (rule: NetworkRule, target: string) => {
  const decision = check(rulesOf(rule), parseTarget(target)!);
  return "code" in decision ? decision.code : undefined;
};

test.each<[NetworkRule, string, string | undefined]>([
  [allow(["example.org"]), "example.org:443", undefined],
  [allow(["example.org"]), "EXAMPLE.org.:80", undefined],
  [allow(["Example.ORG."]), "example.org:443", undefined],
  [allow(["bücher.example"]), "xn--bcher-kva.example:443", undefined],
  [allow(["example.org"]), "sub.example.org:443", "host_not_allowed"],
  [allow(["example.org"]), "badexample.org:443", "host_not_allowed"],
  [allow(["example.org"]), "example.org.evil.test:443", "host_not_allowed"],
  [allow([".example.org"]), "a.b.example.org:443", undefined],
  [allow([".example.org"]), "example.org:443", "host_not_allowed"],
  [allow([".example.org"]), "badexample.org:443", "host_not_allowed"],
  [allow([".1"]), "1.1.1.1:443", "host_not_allowed"],
  [allow(["."]), "example.org:443", "host_not_allowed"],
  [allow(["*"]), "example.org:443", "host_not_allowed"],
  [allow([""]), "example.org:443", "host_not_allowed"],
  [allow(["example.org"]), "example.org:22", "port_not_allowed"],
  [allow(["example.org:8443"]), "example.org:8443", undefined],
  [allow(["example.org:8443"]), "example.org:443", "port_not_allowed"],
  [allow([".example.org:8443"]), "a.example.org:8443", undefined],
  [allow(["example.org", "example.org:22"]), "example.org:22", undefined],
  [allow(["1.1.1.1"]), "0x1010101:443", undefined],
  [allow(["[2606:4700::1111]:853"]), "[2606:4700:0::1111]:853", undefined],
  [allow([]), "example.org:443", "host_not_allowed"],
  [allow([], ["everything"]), "example.org:8443", undefined],
  [allow([], ["npm"]), "registry.npmjs.org:443", undefined],
  [allow([], ["npm"]), "pypi.org:443", "host_not_allowed"],
  [allow([], ["registries"]), "registry.npmjs.org:443", undefined],
  [allow([], ["registries"]), "files.pythonhosted.org:443", undefined],
  [allow([], ["registries"]), "github.com:443", "host_not_allowed"],
  [allow([], ["git"]), "github.com:443", undefined],
  [allow([], ["git"]), "github.com:22", "port_not_allowed"],
  [{ type: "none" }, "example.org:443", "network_off"],
])("%j and %s: %s", (rule, target, code) => {
  expect(codeFor(rule, target)).toBe(code);
});

test("the repository's host belongs to its own preset and to that for git, and stored rules are allowed beside the conversation's own", () => {
  const git = parseTarget("git.example:443")!;
  const stored = [
    { rule: allow(["a.test"]), of: "repository" },
    { rule: allow([], ["npm"]), of: "owner" },
  ] as const;
  const decide = (rule: NetworkRule, target: string) =>
    check(rulesOf(rule, stored, "git.example"), parseTarget(target)!);
  expect(decide(allow([], ["git"]), "git.example:443")).toEqual({ allowedBy: "repository" });
  expect(decide(allow([], ["repository"]), "git.example:443")).toEqual({ allowedBy: "repository" });
  expect(decide(allow([], ["repository"]), "github.com:443")).toMatchObject({ code: "host_not_allowed" });
  expect(decide(allow([], ["repository"]), "git.example:22")).toMatchObject({ code: "port_not_allowed" });
  expect(decide(allow([]), "git.example:443")).toMatchObject({ code: "host_not_allowed" });
  const everywhere = [{ rule: allow([], ["repository"]), of: "owner" as const }];
  const byStored = (host: string) => check(rulesOf(allow([]), everywhere, "git.example:8443"), parseTarget(host)!);
  expect(byStored("git.example:8443")).toEqual({ allowedBy: "repository" });
  expect(byStored("git.example:443")).toMatchObject({ code: "port_not_allowed" });
  expect(decide(allow([]), "a.test:443")).toEqual({ allowedBy: "host a.test (repository)" });
  expect(decide(allow([]), "registry.npmjs.org:443")).toEqual({ allowedBy: "preset npm (owner)" });
  expect(check(rulesOf({ type: "none" }, stored, "git.example"), git)).toMatchObject({ code: "network_off" });
});

test("the rule that let a request through is named", () => {
  const rule: NetworkRule = {
    type: "allow",
    hosts: [".example.org"],
    presets: ["everything"],
    requests: [{ host: "api.test", methods: ["GET"], path: "/v1/**" }],
  };
  const decide = (target: string) => check(rulesOf(rule), parseTarget(target)!);
  expect(decide("a.example.org:443")).toEqual({ allowedBy: "host .example.org" });
  expect(decide("api.test:22")).toEqual({ allowedBy: "preset everything" });
});

const KINDS: NetworkRule = {
  type: "allow",
  hosts: [],
  presets: [],
  requests: [
    { host: "api.test", methods: ["GET", "HEAD"], path: "/v1/**" },
    { host: "api.test", methods: ["POST"], path: "/v1/*/comments" },
    { host: ".cdn.test", port: 8443 },
  ],
};

test.each([
  ["GET", "/v1/a/b", "request GET,HEAD api.test/v1/**"],
  ["GET", "/v1/", "request GET,HEAD api.test/v1/**"],
  ["GET", "/v1", "request_not_allowed"],
  ["GET", "/v2/a", "request_not_allowed"],
  ["get", "/v1/a", "request_not_allowed"],
  ["DELETE", "/v1/a", "request_not_allowed"],
  ["POST", "/v1/7/comments", "request POST api.test/v1/*/comments"],
  ["POST", "/v1/7/8/comments", "request_not_allowed"],
  ["POST", "/v1//comments", "request_not_allowed"],
  ["GET", "/v1/../admin", "request_not_allowed"],
  ["GET", "/v1/%2e%2e/admin", "request_not_allowed"],
  ["GET", "/%76%31/a", "request GET,HEAD api.test/v1/**"],
  ["GET", "//v1/a", "request GET,HEAD api.test/v1/**"],
  ["GET", "/v1/..%2fadmin", "path_ambiguous"],
  ["GET", "/v1/%2e%2e%5cadmin", "path_ambiguous"],
  ["GET", "/v1/..\\admin", "path_ambiguous"],
  ["GET", "/v1/%252e%252e/admin", "path_ambiguous"],
  ["GET", "/v1/..;/admin", "path_ambiguous"],
  ["GET", "/v1/..%3b/admin", "path_ambiguous"],
  ["GET", "/v1/.;x/admin", "path_ambiguous"],
  ["GET", "/v1/%00", "path_ambiguous"],
  ["GET", "/v1/%zz", "path_ambiguous"],
  ["GET", "/v1/é", "path_ambiguous"],
])("%s %s of a host with kinds of request: %s", (method, path, expected) => {
  const decision = check(rulesOf(KINDS), { ...parseTarget("api.test:443")!, method, path });
  expect("code" in decision ? decision.code : decision.allowedBy).toBe(expected);
});

test.each([
  [{ methods: ["GET"] }, "GET", "/any", "request GET api.test"],
  [{ methods: ["GET"] }, "POST", "/any", "request_not_allowed"],
  [{ path: "/v1/**" }, "POST", "/v1/x", "request api.test/v1/**"],
  [{ path: "/v1/**" }, "POST", "/any", "request_not_allowed"],
  [{}, "POST", "/any", "request api.test"],
])("of a kind that says %j alone %s %s is: %s", (kind, method, path, expected) => {
  const rules = rulesOf({ type: "allow", presets: [], hosts: [], requests: [{ host: "api.test", ...kind }] });
  const decision = check(rules, { ...parseTarget("api.test:443")!, method, path });
  expect("code" in decision ? decision.code : decision.allowedBy).toBe(expected);
  expect(needsOpening(rules, parseTarget("api.test:443")!)).toBe("methods" in kind || "path" in kind);
});

test("a star in a path stands for itself, and a rule can be written for it", () => {
  const rule: NetworkRule = {
    ...KINDS,
    type: "allow",
    requests: [{ host: "api.test", path: "/v1/%2A" }],
  };
  const decide = (path: string) => check(rulesOf(rule), { ...parseTarget("api.test:443")!, method: "GET", path });
  expect([decide("/v1/*"), decide("/v1/%2a")]).toMatchObject([
    { allowedBy: expect.any(String) },
    { allowedBy: expect.any(String) },
  ]);
  expect(decide("/v1/x")).toMatchObject({ code: "request_not_allowed" });
});

test.each([
  ["/caf%c3%a9/x", "/caf%c3%a9/x"],
  ["/caf%c3%a9/**", "/caf%C3%A9/x"],
  ["/café/*", "/caf%C3%A9/x"],
  ["/a//b", "/a//b"],
  ["/%7euser/./b", "/~user/b"],
  ["/v1/%2a", "/v1/*"],
])("a rule for the path %s, which servers may write in other ways, holds for %s", (path, asked) => {
  const rules = rulesOf({ type: "allow", presets: [], hosts: [], requests: [{ host: "api.test", path }] });
  const decision = check(rules, { ...parseTarget("api.test:443")!, method: "GET", path: asked });
  expect(decision).toEqual({ allowedBy: `request api.test${path}` });
});

test.each<[NetworkPreset, readonly string[]]>([
  ["npm", ["registry.npmjs.org"]],
  ["pypi", ["pypi.org", "files.pythonhosted.org"]],
  ["crates", ["index.crates.io", "static.crates.io"]],
  ["go", ["proxy.golang.org", "sum.golang.org"]],
  ["maven", ["repo.maven.apache.org", "repo1.maven.org"]],
  ["rubygems", ["rubygems.org"]],
  ["debian", ["deb.debian.org", "security.debian.org", "archive.ubuntu.com"]],
  ["git", ["github.com", "codeload.github.com", "gitlab.com", "codeberg.org"]],
])("the preset %s reaches its own hosts and no other's", (preset, hosts) => {
  const reached = (asked: NetworkPreset, host: string) =>
    "allowedBy" in check(rulesOf({ type: "allow", presets: [asked], hosts: [] }), parseTarget(`${host}:443`)!);
  const known = Object.entries(PRESET_HOSTS).filter(([name]) => name !== preset && name !== "registries");
  const foreign = known.flatMap(([, others]) => others);
  expect(hosts.filter((host) => !reached(preset, host))).toEqual([]);
  expect(foreign.filter((host) => reached(preset, host))).toEqual([]);
  expect(hosts.map((host) => reached("registries", host))).toEqual(hosts.map(() => preset !== "git"));
  expect(
    ["x.npmjs.org", "pypi.org.evil.test", "github.io", "storage.googleapis.com"].map((host) => reached(preset, host)),
  ).toEqual([false, false, false, false]);
});

test("a host of which only kinds of request are allowed is to be opened, and is refused where nothing can be seen", () => {
  const rules = rulesOf(KINDS);
  const at = (target: string) => [needsOpening(rules, parseTarget(target)!), check(rules, parseTarget(target)!)];
  expect(at("api.test:443")).toMatchObject([true, { code: "request_unseen" }]);
  expect(at("api.test:22")).toMatchObject([false, { code: "port_not_allowed" }]);
  expect(at("a.cdn.test:8443")).toMatchObject([false, { allowedBy: "request .cdn.test:8443" }]);
  expect(at("other.test:443")).toMatchObject([false, { code: "host_not_allowed" }]);
  const open = rulesOf({ ...KINDS, hosts: ["api.test"] });
  expect(needsOpening(open, parseTarget("api.test:443")!)).toBe(false);
});

test("every preset host is one that a request can name", () => {
  for (const host of Object.values(PRESET_HOSTS).flat()) expect(parseTarget(`${host}:443`)?.host.name).toBe(host);
});
