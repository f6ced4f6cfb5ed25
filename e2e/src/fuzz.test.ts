import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runEnd, startConversation } from "./support/conversations.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

const run = promisify(execFile);

const VERSION = "4.32.5";

/** The fuzzer in an environment of its own, kept between runs. Gives its program. */
async function installFuzzer(): Promise<string> {
  const cache = process.env["HANDRAIL_CACHE"] ?? path.join(homedir(), ".cache/handrail");
  const place = path.join(cache, "e2e/schemathesis");
  const pip = path.join(place, "bin/pip");
  if (!existsSync(pip)) {
    await mkdir(path.dirname(place), { recursive: true });
    await run("python3", ["-m", "venv", place]);
  }
  await run(pip, ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`]);
  return path.join(place, "bin/schemathesis");
}

/**
 * Real ids for the fuzzer's requests, as its configuration. Those that delete get ids of its own making, so that the others go on
 * reaching something. The conversation has run, and its workspace has no remote to push to.
 */
async function realIds({ client }: TestServer): Promise<string> {
  const conversation = await startConversation(client, { backend: "process", task: "demo", source: { type: "demo" } });
  await runEnd(client, conversation);
  const { info } = await client.createGatewayKey({ body: { name: "fuzzed", limits: {} } });
  const place = {
    name: "fuzzed",
    provider: "openai_compatible",
    model: "m",
    baseUrl: "http://127.0.0.1:9/v1",
  } as const;
  const { id } = await client.addGatewayModel({ body: place });
  return [
    idsOf("/api/conversations/", conversation),
    idsOf("/api/gateway/keys/", info.id),
    idsOf("/api/gateway/models/", id),
  ].join("\n");
}

const idsOf = (start: string, id: string) =>
  `[[operations]]\ninclude-path-regex = "^${start}"\nexclude-method = "DELETE"\nparameters = { "path.id" = "${id}" }`;

/** Nothing is left out. Signing out ends no session: a bearer token has none. */
const argumentsFor = ({ url, token }: TestServer, config: string) =>
  [
    ["--config-file", config, "run", `${url}/api/openapi.json`, "--no-color", "--continue-on-failure"],
    ["-H", `Authorization: Bearer ${token}`, "--request-timeout", "30", "--max-time", "45", "--max-examples", "10"],
    ["--generation-deterministic", "--phases", "examples,coverage,fuzzing"],
    ["--checks", "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance"],
  ].flat();

/** What the fuzzer holds against the server. */
const findings = (text: string): readonly string[] => text.match(/^- ST\d+ .*$|^=+ ERRORS =+$/gm) ?? [];

const NO_HARM = "requests made from the API's own description get no 5xx, no hang and answers of the described shape";

test(NO_HARM, { timeout: 420_000 }, async () => {
  const fuzzer = await installFuzzer();
  process.stderr.write(`schemathesis ${VERSION}, deterministic: the same requests each time, no seed\n`);
  const server = await startServer();
  try {
    const config = path.join(server.home, "schemathesis.toml");
    await writeFile(config, await realIds(server));
    const options = { cwd: server.home, timeout: 240_000, maxBuffer: 50_000_000 };
    const text = await run(fuzzer, argumentsFor(server, config), options).then(
      ({ stdout }) => stdout,
      (thrown: { readonly stdout: string }) => thrown.stdout,
    );
    expect(text).toMatch(/Tested: +[1-9]/);
    expect(findings(text), text.slice(0, 20_000)).toEqual([]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  } finally {
    await server.dispose();
  }
});
