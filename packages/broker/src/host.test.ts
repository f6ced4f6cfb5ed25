import { expect, test } from "vitest";
import { parseHost, parseTarget } from "./host.ts";

test.each([
  ["Example.COM", { name: "example.com", address: false }],
  ["example.com.", { name: "example.com", address: false }],
  ["bücher.example", { name: "xn--bcher-kva.example", address: false }],
  ["ｅｘａｍｐｌｅ。com", { name: "example.com", address: false }],
  ["ex%61mple.com", { name: "example.com", address: false }],
  ["a_b.example.com", { name: "a_b.example.com", address: false }],
  ["127.0.0.1", { name: "127.0.0.1", address: true }],
  ["127.0.0.1.", { name: "127.0.0.1", address: true }],
  ["127.1", { name: "127.0.0.1", address: true }],
  ["0x7f.1", { name: "127.0.0.1", address: true }],
  ["0x7f000001", { name: "127.0.0.1", address: true }],
  ["2130706433", { name: "127.0.0.1", address: true }],
  ["017700000001", { name: "127.0.0.1", address: true }],
  ["0177.0.0.01", { name: "127.0.0.1", address: true }],
  ["0", { name: "0.0.0.0", address: true }],
  ["１２７.0.0.1", { name: "127.0.0.1", address: true }],
  ["%31%32%37.0.0.1", { name: "127.0.0.1", address: true }],
  ["[::1]", { name: "::1", address: true }],
  ["[0:0:0:0:0:0:0:1]", { name: "::1", address: true }],
  ["[::ffff:127.0.0.1]", { name: "::ffff:7f00:1", address: true }],
  ["[2606:4700::1111]", { name: "2606:4700::1111", address: true }],
])("%s is read as one host in one form", (text, host) => {
  expect(parseHost(text)).toEqual(host);
});

test.each([
  "",
  ".",
  "..",
  "a..b",
  "example.com..",
  ".example.com",
  "exa mple.com",
  "user@example.com",
  "example.com/path",
  "example.com\\@evil.example",
  "example.com#x",
  "example.com?x",
  "example.com:80",
  "example.com:",
  "example.com\n",
  "example.com\0",
  "1.2.3.4.5",
  "256.1.1.1",
  "0x7f.0x100000000",
  "::1",
  "[::1",
  "[fe80::1%25eth0]",
  "[fe80::1%eth0]",
  "[::1]:80",
  "a".repeat(64) + ".com",
  "a.".repeat(130) + "com",
  "a".repeat(5000),
])("%j names no host", (text) => {
  expect(parseHost(text)).toBeUndefined();
});

test("a target is a host and a port from 1 to 65535", () => {
  expect(parseTarget("Example.com:443")).toEqual({ host: { name: "example.com", address: false }, port: 443 });
  expect(parseTarget("[::1]:8080")).toEqual({ host: { name: "::1", address: true }, port: 8080 });
  expect(parseTarget("example.com", 80)?.port).toBe(80);
  for (const text of [
    "example.com",
    "example.com:",
    "example.com:0",
    "example.com:65536",
    "example.com:1e3",
    "::1:80",
  ]) {
    expect(parseTarget(text)).toBeUndefined();
  }
});
