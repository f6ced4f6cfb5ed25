import { expect, test } from "vitest";
import { hostFormProblem, hostProblem } from "./rule-host.ts";

test("what names a host is none, in every form that rules take", () => {
  const hosts = ["example.org", ".example.org", "API.example.org:8443", "localhosts", "10.1.2.3:81", "[fd12::1]:8080"];
  expect([...hosts, "bücher.example", "_dmarc.a-b.example", "a.example."].map(hostProblem)).toEqual(
    Array.from({ length: 9 }, () => undefined),
  );
});

test("what would allow nothing is refused with what to write instead", () => {
  expect(hostProblem("*.example.org")).toBe(
    '"*.example.org" is not a host. Write .example.org for every host below it.',
  );
  expect(hostProblem("https://example.org/a")).toContain("Give its name alone");
  for (const text of [
    "",
    "*",
    "a b",
    "a..b",
    "example.org:0",
    "example.org:99999",
    ".10.0.0.1",
    "a@b",
    "[::1",
    "xn--",
    "1.2.3.256",
  ]) {
    expect(hostProblem(text), text).toContain("is not a host. Give a name");
  }
  expect(hostProblem("x".repeat(5000) + "!")?.length).toBeLessThan(250);
});

test("what no sandbox ever reaches is refused in every spelling", () => {
  const spelled = ["127.0.0.1", "localhost", ".localhost", "a.LocalHost.:80", "0x7f.1", "2130706433", "0", "１２７.1"];
  const others = [
    "[::1]:80",
    "[::ffff:a9fe:a9fe]",
    "169.254.169.254",
    "100.100.100.200",
    "[fd00:ec2::254]",
    "[fe80::1]",
  ];
  for (const text of [...spelled, ...others]) {
    expect(hostProblem(text)).toBe(
      `${JSON.stringify(text)} can not be allowed: a sandbox never reaches the server's own machine or a metadata service.`,
    );
    expect(hostFormProblem(text)).toBeUndefined();
  }
});
