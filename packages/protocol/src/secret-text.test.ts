import { expect, test } from "vitest";
import { headerUseOf, pushRuleOf, pushRuleText, requestRuleOf, requestRuleText } from "./secret-text.ts";

test("hosts are typed with port and path, and shown as they were typed", () => {
  expect(requestRuleOf("API.example.org:8443/v1/**")).toEqual({ host: "api.example.org", port: 8443, path: "/v1/**" });
  expect(requestRuleOf(".example.org")).toEqual({ host: ".example.org" });
  expect(["https://x", "a b", "", ":80"].map(requestRuleOf)).toEqual([undefined, undefined, undefined, undefined]);
  expect(requestRuleText({ host: "a.example", port: 1, path: "/x" })).toBe("a.example:1/x");
});

test("pushes are typed as repositories and branches", () => {
  expect(pushRuleOf("owner/repo:main,handrail/*")).toEqual({
    repository: "owner/repo",
    branches: ["main", "handrail/*"],
  });
  expect(["owner/repo", "owner/repo:", ":main"].map(pushRuleOf)).toEqual([undefined, undefined, undefined]);
  expect(pushRuleText({ repository: "o/r", branches: ["a"], tags: ["v1"] })).toBe("o/r:a,v1");
});

test("a header's text is the value of Authorization unless it names another", () => {
  expect(headerUseOf("Bearer {secret}")).toEqual({ format: "Bearer {secret}" });
  expect(headerUseOf("X-Api-Key: {secret}")).toEqual({ header: "X-Api-Key", format: "{secret}" });
});
