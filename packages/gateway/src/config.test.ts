import { expect, test } from "vitest";
import { readGatewayConfig } from "./config.ts";

test("flags win over variables, and a model is made of its own", () => {
  const env = {
    PORT: "4100",
    LLM_MODEL: "m",
    LLM_DIALECT: "anthropic",
    LLM_INPUT_USD_PER_MILLION: "0.5",
    HANDRAIL_GATEWAY_REDACT: "Yes",
  };
  const { environment: _, ...config } = readGatewayConfig(["--port", "0", "--home", "/h"], env);
  expect(config).toEqual({
    host: "127.0.0.1",
    port: 0,
    home: "/h",
    file: undefined,
    model: {
      model: "m",
      dialect: "anthropic",
      baseUrl: undefined,
      apiKey: undefined,
      contextTokens: undefined,
      maxOutputTokens: undefined,
      inputUsdPerMillion: 0.5,
      outputUsdPerMillion: undefined,
    },
    databaseUrl: undefined,
    redisUrl: undefined,
    limits: "books",
    masterKey: undefined,
    weakMasterKey: false,
    guard: { redact: true, patternsFile: undefined, bodies: undefined },
    traces: undefined,
    logLevel: "info",
  });
});

test.each([
  [["--port", "65536"], {}, "--port is not valid: it must be from 0 to 65535."],
  [[], { PORT: "x" }, "PORT is not valid: it must be a whole number."],
  [
    [],
    { LLM_BASE_URL: "ftp://a", LLM_MODEL: "m" },
    "LLM_BASE_URL is not valid: it must begin with http:// or https://.",
  ],
  [
    [],
    { LLM_DIALECT: "other", LLM_MODEL: "m" },
    "LLM_DIALECT is not valid: it must be one of openai, anthropic, google, bedrock.",
  ],
  [
    [],
    { LLM_OUTPUT_USD_PER_MILLION: "-1", LLM_MODEL: "m" },
    "LLM_OUTPUT_USD_PER_MILLION is not valid: it must be a number.",
  ],
  [
    [],
    { HANDRAIL_MASTER_KEY: "k".repeat(8193) },
    "HANDRAIL_MASTER_KEY is not valid: it must have from 1 to 8192 characters.",
  ],
  [
    [],
    { HANDRAIL_GATEWAY_BODIES: "7" },
    "HANDRAIL_GATEWAY_BODIES is not valid: it must be a time such as 90s, 30m or 2h.",
  ],
  [["--gateway-body-max", "x"], {}, "--gateway-body-max is not valid: it must be a size such as 512m or 4g."],
])("what is not valid is refused by name: %j %j", (argv, env, message) => {
  expect(() => readGatewayConfig(argv, env)).toThrow(message);
});
