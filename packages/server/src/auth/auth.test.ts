import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testClock } from "@handrail/core/testing/test-clock";
import { expect, test } from "vitest";
import { jsonFile } from "../settings/json-file.ts";
import { addresses } from "./addresses.ts";
import { rateLimit } from "./rate-limit.ts";
import { openSessions, SESSION_LIFE_MS, SessionsFile } from "./sessions.ts";
import { signInTokens } from "./sign-in-tokens.ts";

const refusal = (work: () => unknown) => {
  try {
    work();
    return "taken";
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

test("a sign-in token works once, in time, and only if it is ours", () => {
  const clock = testClock();
  const tokens = signInTokens(clock);
  const [used, late] = [tokens.mint(1000).token, tokens.mint(1000).token];
  expect([refusal(() => tokens.redeem(used)), refusal(() => tokens.redeem(used))]).toEqual(["taken", "token_used"]);
  clock.advance(1001);
  expect([refusal(() => tokens.redeem(late)), refusal(() => tokens.redeem("x"))]).toEqual(["token_used", "token_used"]);
});

test("sessions survive a restart, end with their time or when signed out, and are stored as hashes", async () => {
  const directory = mkdtempSync(join(tmpdir(), "handrail-sessions-"));
  const path = join(directory, "sessions.json");
  const clock = testClock();
  const open = () => openSessions(jsonFile(path, SessionsFile), clock);
  const first = await open();
  const [kept, ended] = [await first.start("ada"), await first.start("bob")];
  await first.end(ended);
  const second = await open();
  expect([second.find(kept), second.find(ended), second.find("x")]).toEqual([{ userId: "ada" }, undefined, undefined]);
  expect(readFileSync(path, "utf8")).not.toContain(kept);
  clock.advance(SESSION_LIFE_MS);
  expect(second.find(kept)).toBeUndefined();
  rmSync(directory, { recursive: true });
});

test("tries are counted for each address within the window", () => {
  const clock = testClock();
  const allow = rateLimit(2, 1000, clock);
  expect([allow("a"), allow("a"), allow("a"), allow("b")]).toEqual([true, true, false, true]);
  clock.advance(1001);
  expect(allow("a")).toBe(true);
});

test("beyond loopback, addresses in Host are taken and foreign names are not", () => {
  const allowed = addresses({
    host: "0.0.0.0",
    publicUrl: "https://agents.example.org",
    allowedHosts: ["agents.local"],
  });
  const hosts = [
    "10.1.2.3:3000",
    "[::1]:3000",
    "agents.example.org",
    "agents.local",
    "evil.example",
    "",
    "a b",
    "10.1.2.3.evil",
  ];
  const taken = (name: string) => refusal(() => allowed.checkHost(name)) === "taken";
  expect(hosts.map(taken)).toEqual([true, true, true, true, false, false, false, false]);
  const origins = ["https://agents.example.org", "http://agents.example.org", "http://10.1.2.3:3000", "file://"];
  const trusted = (origin: string) => refusal(() => allowed.checkOrigin(origin, "10.1.2.3:3000")) === "taken";
  expect(origins.map(trusted)).toEqual([true, false, true, false]);
});
