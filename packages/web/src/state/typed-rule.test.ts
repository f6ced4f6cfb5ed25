import { expect, test } from "vitest";
import { typedRule } from "./typed-rule.ts";

test.each([
  ["api.example.org", { hosts: ["api.example.org"] }],
  [" .example.org ", { hosts: [".example.org"] }],
  ["npm", { presets: ["npm"] }],
  ["Registries", { presets: ["registries"] }],
  ["git:443", { requests: [{ host: "git", port: 443 }] }],
  ["GET npm", { requests: [{ host: "npm", methods: ["GET"] }] }],
  ["npm/v1/**", { requests: [{ host: "npm", path: "/v1/**" }] }],
  ["npm pypi", "Give one host at a time."],
  ["", "Give a host such as api.example.org, perhaps with :PORT and /PATH, and GET,POST before it."],
])("%j is read as the rule %j", (text, rule) => {
  expect(typedRule(text)).toEqual(rule);
});
