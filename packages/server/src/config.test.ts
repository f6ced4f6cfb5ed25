import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { helpText } from "./config/help.ts";
import { OPTIONS, optionKey } from "./config/options.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-config-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const env = (more: Record<string, string> = {}) => ({ HANDRAIL_HOME: home, ...more });
const yaml = (text: string) => writeFileSync(join(home, "handrail.yaml"), text);
const refusal = (work: () => unknown) => {
  try {
    work();
    return "taken";
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

test("private hosts are names, suffixes or addresses without a port, and anything else is refused by name", () => {
  const read = (text: string) => readConfig(["--network-private-hosts", text], {}).network.privateHosts;
  expect(read("git.corp.test, .lan.test,10.0.0.7,[fd12::1]")).toEqual([
    "git.corp.test",
    ".lan.test",
    "10.0.0.7",
    "[fd12::1]",
  ]);
  for (const wrong of ["git.corp.test:8443", "10.0.0.0/8", "http://git.corp.test", ".10.0.0.7", "a b"]) {
    expect(() => read(wrong)).toThrow(`${wrong} is not a host`);
  }
});

test("what sandboxes may reach by default names presets and hosts, and nothing that would allow nothing", () => {
  const read = (text: string) => readConfig(["--sandbox-network", text], {}).sandbox.network;
  expect(read("npm,.example.org:8443")).toEqual({ type: "allow", presets: ["npm"], hosts: [".example.org:8443"] });
  expect(read("none")).toEqual({ type: "none" });
  expect(() => read("npm,*.example.org")).toThrow("Write .example.org for every host below it");
});

test("teams are ids between commas, at most 100, none of them twice", () => {
  const read = (text: string) => readConfig([], env({ HANDRAIL_TEAMS: text })).teams;
  expect(readConfig([], env()).teams).toEqual([]);
  expect(read("core, web tools,42")).toEqual(["core", "web tools", "42"]);
  expect(refusal(() => read("core,web,core"))).toContain("core is there twice");
  expect(refusal(() => read("x".repeat(129)))).toContain("HANDRAIL_TEAMS is not valid");
  expect(read(Array.from({ length: 100 }, (_, at) => `t${at}`).join())).toHaveLength(100);
  expect(refusal(() => read(Array.from({ length: 101 }, (_, at) => `t${at}`).join()))).toContain("at most 100 teams");
});

test("without settings the defaults hold", () => {
  expect(readConfig([], env())).toMatchObject({
    host: "127.0.0.1",
    port: 3000,
    home,
    model: undefined,
    limits: {},
    runLimits: { maxCostUsd: 20, maxSteps: 500 },
    sandbox: { network: { type: "allow", presets: ["registries", "repository"], hosts: [] }, idleMs: 1_800_000 },
    warnings: [],
  });
});

test("flags win over the environment, the environment over the file", () => {
  yaml("port: 1001\nhost: 10.0.0.1\nsandbox-memory: 2g\n");
  const config = readConfig(["--port", "1003"], env({ PORT: "1002", HOST: "10.0.0.2" }));
  expect([config.port, config.host, config.sandbox.memoryBytes]).toEqual([1003, "10.0.0.2", 2 * 1024 ** 3]);
});

test("the profile of new conversations is one of those that are allowed", () => {
  const profileOf = (vars: Record<string, string>) => {
    const { profile, profiles } = readConfig([], env(vars)).sandbox;
    return [profile, profiles];
  };
  expect(profileOf({})).toEqual(["default", ["strict", "default", "dev"]]);
  expect(profileOf({ HANDRAIL_SANDBOX_PROFILES: "strict" })).toEqual(["strict", ["strict"]]);
  expect(
    refusal(() => profileOf({ HANDRAIL_SANDBOX_PROFILE: "dev", HANDRAIL_SANDBOX_PROFILES: "strict,default" })),
  ).toBe("The sandbox-profile dev is not one of sandbox-profiles. Add it there.");
});

test("every option can be set by file and environment, and all but secrets by flag", () => {
  const help = helpText();
  for (const [name, option] of Object.entries(OPTIONS)) {
    expect(help).toContain(option.env[0]);
    expect(help.includes(`--${optionKey(name)} `)).toBe(!("secret" in option));
  }
});

test("unknown keys and bad values are refused by name", () => {
  yaml("prot: 1\n");
  expect(refusal(() => readConfig([], env()))).toBe(`${home}/handrail.yaml has an unknown key: prot.`);
  yaml("port: [1\n");
  expect(refusal(() => readConfig([], env()))).toContain("handrail.yaml cannot be read");
  yaml("");
  expect(refusal(() => readConfig(["--prot", "1"], env()))).toBe("--prot is not an option of the server. See --help.");
  expect(refusal(() => readConfig(["--port"], env()))).toBe("--port needs a value.");
  expect(refusal(() => readConfig([], env({ PORT: "99999" })))).toContain('PORT is not valid (it is "99999")');
  expect(refusal(() => readConfig([], env({ HANDRAIL_SANDBOX: "vm" })))).toContain("HANDRAIL_SANDBOX is not valid");
  expect(refusal(() => readConfig(["--config", "/nonexistent"], env()))).toBe("There is no file /nonexistent.");
});

test("a home in the file is refused, with where to set it", () => {
  yaml("home: /elsewhere\n");
  expect(refusal(() => readConfig([], env()))).toBe(
    `${home}/handrail.yaml cannot set home, where it is itself looked for. Set HANDRAIL_HOME or --home.`,
  );
});

test("a backend that this version does not have is refused at the start", () => {
  expect(refusal(() => readConfig(["--sandbox", "kubernetes"], env()))).toBe(
    '--sandbox is not valid (it is "kubernetes"): this version has no Kubernetes sandboxes: set docker, process or containerd.',
  );
});

test("a bad secret is not repeated", () => {
  const message = refusal(() => readConfig([], env({ LLM_API_KEY: "s".repeat(9000) })));
  expect(message).toContain("LLM_API_KEY is not valid");
  expect(message).not.toContain("sss");
});

test("a key is never a flag, for others can read command lines", () => {
  expect(refusal(() => readConfig(["--llm-api-key", "secret"], env()))).toContain("is not an option");
});

test("a model needs an address, and an address without a model is said", () => {
  const LLM_BASE_URL = "http://litellm/v1";
  const set = { LLM_BASE_URL, LLM_API_KEY: "sk-1", LLM_MODEL: "gpt" };
  expect(readConfig([], env(set)).model).toEqual({
    dialect: "openai",
    baseUrl: LLM_BASE_URL,
    apiKey: "sk-1",
    model: "gpt",
  });
  expect(refusal(() => readConfig([], env({ LLM_MODEL: "gpt" })))).toContain("LLM_BASE_URL is not");
  expect(readConfig([], env({ LLM_BASE_URL })).warnings).toHaveLength(1);
  const anthropic = { LLM_DIALECT: "anthropic", LLM_MODEL: "claude", ANTHROPIC_API_KEY: "sk-2" };
  expect(readConfig([], env(anthropic)).model).toEqual({ dialect: "anthropic", model: "claude", apiKey: "sk-2" });
});

test("names that OpenHands' deployments carry are taken, or warned about when they do nothing", () => {
  const config = readConfig(
    [],
    env({
      SANDBOX_HOST: "127.0.0.1",
      WORKSPACE_BASE: "/x",
      MAX_ITERATIONS: "7",
      MAX_BUDGET_PER_TASK: "0",
      LOG_ALL_EVENTS: "true",
    }),
  );
  expect(config.runLimits).toEqual({ maxSteps: 7, maxTimeMs: 21_600_000 });
  expect(config.logAllEvents).toBe(true);
  expect(config.warnings.map((warning) => warning.split(" ")[0])).toEqual(["SANDBOX_HOST", "WORKSPACE_BASE"]);
});

test("the gateway redacts and keeps nothing, and shares nothing, until it is said", () => {
  const alone = { file: undefined, databaseUrl: undefined, redisUrl: undefined, limits: "books", weakMasterKey: false };
  const unset = { ...alone, redact: false, patternsFile: undefined, bodies: undefined };
  expect(readConfig([], env()).gateway).toEqual(unset);
  // The database of the project that somebody works on is none of the gateway's.
  expect(readConfig([], env({ DATABASE_URL: "postgres://x/y", REDIS_URL: "redis://x" })).gateway).toEqual(unset);
  const shared = {
    HANDRAIL_GATEWAY_DATABASE_URL: "postgres://db/handrail",
    HANDRAIL_GATEWAY_REDIS_URL: "redis://cache",
    HANDRAIL_GATEWAY_LIMITS: "redis",
  };
  const argv = ["--gateway-config", join(home, "litellm.yaml")];
  expect(readConfig(argv, env(shared)).gateway).toEqual({
    ...unset,
    file: join(home, "litellm.yaml"),
    databaseUrl: "postgres://db/handrail",
    redisUrl: "redis://cache",
    limits: "redis",
  });
  yaml(`gateway-redact-patterns: ${join(home, "patterns.txt")}\ngateway-bodies: 7d\ngateway-body-max: 1m\n`);
  expect(readConfig([], env()).gateway).toEqual({
    ...alone,
    redact: true,
    patternsFile: join(home, "patterns.txt"),
    bodies: { keepMs: 7 * 86_400_000, maxBytes: 1024 ** 2, maxTotalBytes: 1024 ** 3 },
  });
  expect(readConfig(["--gateway-redact", "false"], env()).gateway.redact).toBe(false);
});
