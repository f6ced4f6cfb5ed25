import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { sandboxAuthority } from "./sandbox-authority.ts";

const DAY_MS = 24 * 3_600_000;

test("each sandbox has an authority of its own, which says what it is and for how long", () => {
  const [one, other] = [sandboxAuthority(), sandboxAuthority()].map(
    ({ certificate }) => new X509Certificate(certificate),
  );
  expect([one?.ca, one?.subject === other?.subject, one?.fingerprint256 === other?.fingerprint256]).toEqual([
    true,
    false,
    false,
  ]);
  const life = Number(one?.validToDate) - Number(one?.validFromDate);
  expect(life).toBe(91 * DAY_MS);
});

test("what a server presents is kept for a day, and no more than 256 of them are", () => {
  let now = Date.now();
  const authority = sandboxAuthority(() => now);
  const contextFor = (host: string) => authority.contextFor(host);
  const first = contextFor("a.test");
  now += DAY_MS - 1;
  expect(contextFor("a.test")).toBe(first);
  now += 1;
  const second = contextFor("a.test");
  expect(second).not.toBe(first);
  for (let count = 0; count < 255; count += 1) contextFor(`h${count}.test`);
  expect(contextFor("a.test")).toBe(second);
  contextFor("one-more.test");
  expect(contextFor("a.test")).not.toBe(second);
});
