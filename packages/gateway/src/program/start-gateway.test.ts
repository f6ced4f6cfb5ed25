import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readGatewayConfig } from "../config.ts";
import { startGateway } from "./start-gateway.ts";

const WEAK = /^The gateway's master key can be guessed: it has fewer than 16 characters\. /;

let home = "";
let file = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-gateway-"));
  file = join(home, "config.yaml");
  writeFileSync(
    file,
    `model_list: [{model_name: m, litellm_params: {model: openai/m, api_base: "http://127.0.0.1:1/v1"}}]
general_settings: {master_key: sk-1234}
`,
  );
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** What the log warns of at a start that goes well. */
async function started(env: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
  const warnings: unknown[] = [];
  const none = () => undefined;
  const log = { debug: none, info: none, fatal: none, warn: (line: unknown) => void warnings.push(line) };
  const config = readGatewayConfig(["--config", file, "--home", home, "--port", "0"], env);
  const gateway = await startGateway(config, log);
  await gateway.close(0);
  return warnings;
}

test("the weak master key of a LiteLLM's guide is warned of on loopback, and refused beyond it unless it is allowed", async () => {
  expect(await started({})).toEqual([expect.stringMatching(WEAK)]);
  await expect(started({ HOST: "0.0.0.0" })).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringMatching(WEAK),
  });
  const allowed = { HOST: "0.0.0.0", HANDRAIL_GATEWAY_WEAK_MASTER_KEY: "true" };
  expect(await started(allowed)).toEqual([expect.stringMatching(WEAK)]);
});

test("nothing is warned of with a random master key, or one that the gateway makes", async () => {
  const random = { HANDRAIL_MASTER_KEY: "sk-Xq7rT2mK9pLw4ZbC8vN3" };
  expect(await started({ ...random, HOST: "0.0.0.0" })).toEqual([]);
  writeFileSync(file, `model_list: [{model_name: m, litellm_params: {model: openai/m}}]\n`);
  expect(await started({ HOST: "0.0.0.0" })).toEqual([]);
});
