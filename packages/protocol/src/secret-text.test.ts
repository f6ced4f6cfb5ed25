import { expect, test } from "vitest";
import {
  headerUseOf,
  pushRuleOf,
  pushRuleText,
  requestRuleOf,
  requestRulesOf,
  requestRuleText,
} from "./secret-text.ts";

test("hosts are typed with port and path, and shown as they were typed", () => {
  expect(requestRuleOf("API.example.org:8443/v1/**")).toEqual({ host: "api.example.org", port: 8443, path: "/v1/**" });
  expect(requestRuleOf(".example.org")).toEqual({ host: ".example.org" });
  for (const text of ["https://x", "a b", "", ":80", "a:0", "a:99999"]) expect(requestRuleOf(text)).toBeUndefined();
  expect(requestRuleText({ host: "a.example", port: 1, path: "/x" })).toBe("a.example:1/x");
});

test("kinds of request are typed with methods before the host, several of them in a row, and shown as they were typed", () => {
  const text = "a.example GET,HEAD b.example:8443/v1/**?,x [2001:db8::1]:81 PUT .c.example";
  const rules = requestRulesOf(text);
  expect(rules).toEqual([
    { host: "a.example" },
    { host: "b.example", port: 8443, methods: ["GET", "HEAD"], path: "/v1/**?,x" },
    { host: "[2001:db8::1]", port: 81 },
    { host: ".c.example", methods: ["PUT"] },
  ]);
  expect(rules.map((rule) => rule && requestRuleText(rule)).join(" ")).toBe(text);
  expect(requestRulesOf(" a.example,b.example, c.example\n")).toEqual(
    ["a", "b", "c"].map((a) => ({ host: `${a}.example` })),
  );
  expect(requestRulesOf("GET POST a.example https://b PUT")).toEqual([
    undefined,
    { host: "a.example", methods: ["POST"] },
    undefined,
    undefined,
  ]);
});

test("pushes are typed as repositories, branches and tags", () => {
  expect(pushRuleOf("owner/repo:main,handrail/*")).toEqual({
    repository: "owner/repo",
    branches: ["main", "handrail/*"],
  });
  expect(["owner/repo", "owner/repo:", ":main"].map(pushRuleOf)).toEqual([undefined, undefined, undefined]);
  const tagged = { repository: "o/r", branches: ["a"], tags: ["v*"] };
  expect(pushRuleText(tagged)).toBe("o/r:a,refs/tags/v*");
  expect(pushRuleOf(pushRuleText(tagged))).toEqual(tagged);
  expect(pushRuleOf("o/r:refs/tags/v1")).toEqual({ repository: "o/r", tags: ["v1"] });
});

test("a header's text is the value of Authorization unless it names another", () => {
  expect(headerUseOf("Bearer {secret}")).toEqual({ format: "Bearer {secret}" });
  expect(headerUseOf("X-Api-Key: {secret}")).toEqual({ header: "X-Api-Key", format: "{secret}" });
});
