import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readGatewayConfig } from "../config.ts";
import { openGuard } from "./open-guard.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-guard-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const guardOf = (env: Record<string, string>, argv: readonly string[] = []) => {
  const { guard } = readGatewayConfig(argv, { HANDRAIL_HOME: home, ...env });
  return openGuard(guard, { home, log: { warn: () => undefined } });
};

const BODY = Buffer.from(`{"a":"ACME-12 glpat-${"a1".repeat(10)}"}`);
const redacted = async (env: Record<string, string>, argv?: readonly string[]) =>
  (await guardOf(env, argv)).parts.redactor?.redact(BODY).body.toString();

test("nothing is redacted, kept or told unless that is set", async () => {
  expect((await guardOf({})).parts).toEqual({});
  expect((await guardOf({ HANDRAIL_GATEWAY_REDACT: "false" })).parts).toEqual({});
});

test("secrets are redacted when that is set, and what a file of patterns says", async () => {
  const file = join(home, "patterns.txt");
  writeFileSync(file, "# names\nACME-\\d+\n");
  expect(await redacted({ HANDRAIL_GATEWAY_REDACT: "true" })).toBe('{"a":"ACME-12 [redacted gitlab-token]"}');
  const both = '{"a":"[redacted pattern] [redacted gitlab-token]"}';
  expect(await redacted({ HANDRAIL_GATEWAY_REDACT_PATTERNS: file })).toBe(both);
  expect(await redacted({}, ["--gateway-redact-patterns", file])).toBe(both);
  expect(await redacted({ HANDRAIL_GATEWAY_REDACT: "no", HANDRAIL_GATEWAY_REDACT_PATTERNS: file })).toBeUndefined();
});

test("bodies are kept in the state directory when it is said how long", async () => {
  const guard = await guardOf({ HANDRAIL_GATEWAY_BODIES: "7d", HANDRAIL_GATEWAY_BODY_MAX: "1k" });
  const { bodies } = guard.parts;
  const call = { callId: "3b241101-e2bb-4255-8caf-4136c566a962", at: Date.now(), keyId: "k", model: "m", status: 200 };
  bodies?.keep({ ...call, request: Buffer.from("x".repeat(1025)), answer: Buffer.from("") });
  await guard.close();
  const [file] = globSync("gateway-bodies/*/*", { cwd: home });
  expect(JSON.parse(readFileSync(join(home, file ?? ""), "utf8"))).toMatchObject({
    callId: call.callId,
    request: { text: "x".repeat(1024), cut: true },
    answer: { text: "" },
  });
});

test("what is wrong with the settings is named at the start", async () => {
  const file = join(home, "none.txt");
  await expect(guardOf({ HANDRAIL_GATEWAY_REDACT_PATTERNS: file })).rejects.toMatchObject({
    code: "config_invalid",
    message: `The file of patterns ${file} cannot be read.`,
  });
  expect(() => readGatewayConfig([], { HANDRAIL_GATEWAY_REDACT: "perhaps" })).toThrow(
    /^HANDRAIL_GATEWAY_REDACT is not valid: .*must be true or false/s,
  );
});
