import type { NetworkPreset } from "@handrail/protocol/network";
import type { NetworkRule } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { checkRule } from "./allow-list.ts";
import { parseTarget } from "./host.ts";
import { PRESET_HOSTS } from "./preset-hosts.ts";

const allow = (hosts: string[], presets: NetworkPreset[] = []): NetworkRule => ({
  type: "allow",
  hosts,
  presets,
});
const codeFor = (rule: NetworkRule, target: string, extra: string[] = []) =>
  checkRule(rule, extra, parseTarget(target)!)?.code;

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

test("extra hosts are allowed beside the rule's, but not where there is no network", () => {
  expect(codeFor(allow([]), "git.example:443", ["git.example"])).toBeUndefined();
  expect(codeFor({ type: "none" }, "git.example:443", ["git.example"])).toBe("network_off");
});

test("every preset host is one that a request can name", () => {
  for (const host of Object.values(PRESET_HOSTS).flat()) expect(parseTarget(`${host}:443`)?.host.name).toBe(host);
});
