import { randomBytes } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { type FixtureOptions, type GatewayFixture, scripted, startGateway } from "../testing/gateway-fixture.ts";
import { configuredPatterns } from "./configured-patterns.ts";
import { createRedactor } from "./redactor.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const redact = (text: string, lines = "") => {
  const { body, count } = createRedactor(configuredPatterns(lines, "patterns.txt")).redact(Buffer.from(text));
  return { text: body.toString("utf8"), count };
};

/** Made here, so that no scanner takes this file's texts for secrets. */
const run = (length: number) => "a1B2c3D4e5".repeat(Math.ceil(length / 10)).slice(0, length);
const BEGIN = ["-----BEGIN RSA PRIVATE", "KEY-----"].join(" ");
const END = ["-----END RSA PRIVATE", "KEY-----"].join(" ");
const FORMATS: Readonly<Record<string, readonly [name: string, secret: string]>> = {
  OpenAI: ["api-key", `sk-proj-${run(48)}_${run(20)}`],
  Anthropic: ["api-key", `sk-ant-api03-${run(40)}-${run(20)}`],
  OpenRouter: ["api-key", `sk-or-v1-${run(64)}`],
  Groq: ["api-key", `gsk_${run(52)}`],
  "Hugging Face": ["api-key", `hf_${run(34)}`],
  Google: ["google-key", `AIza${run(35)}`],
  "GitHub, classic": ["github-token", `ghp_${run(36)}`],
  "GitHub, server": ["github-token", `ghs_${run(36)}`],
  "GitHub, fine-grained": ["github-token", `github_pat_${run(22)}_${run(59)}`],
  GitLab: ["gitlab-token", `glpat-${run(20)}`],
  AWS: ["aws-key-id", ["AKIA", "ABCDEFGH234567AB"].join("")],
  Slack: ["slack-token", `xoxb-${"1".repeat(12)}-${run(24)}`],
  Stripe: ["stripe-key", `sk_live_${run(24)}`],
  npm: ["registry-token", `npm_${run(36)}`],
  "a JWT": ["jwt", `eyJ${run(20)}.eyJ${run(30)}.${run(43)}`],
  "a private key": ["private-key", `${BEGIN}\n${run(64)}\n${run(64)}=\n${END}`],
};

for (const [format, [name, secret]] of Object.entries(FORMATS)) {
  test(`a secret of ${format} is taken out, whatever is around it and however JSON writes it`, () => {
    const shown = `[redacted ${name}]`;
    for (const around of ["$", "key=$", "«$»", '{"token": "$"}', "line\n$\nline", "`$`,", "($)"]) {
      const told = around.replace("$", secret);
      const asked = { messages: [{ role: "user", content: told }] };
      const expected = { messages: [{ role: "user", content: around.replace("$", shown) }] };
      expect(redact(JSON.stringify(asked))).toEqual({ text: JSON.stringify(expected), count: 1 });
      const nested = JSON.stringify({ arguments: JSON.stringify(asked) });
      expect(redact(nested)).toEqual({ text: JSON.stringify({ arguments: JSON.stringify(expected) }), count: 1 });
    }
    const escaped = Array.from(secret, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
    expect(redact(`{"a":"x\\u0020${escaped} y"}`)).toEqual({ text: `{"a":"x\\u0020${shown} y"}`, count: 1 });
  });
}

test("secrets that names give away are taken out, and the names stay", () => {
  const secret = `${run(30)}/${run(9)}`;
  const texts: Readonly<Record<string, string>> = {
    "Authorization: Bearer $": "authorization",
    'curl -H "authorization: bearer $"': "authorization",
    "Authorization: Basic $": "authorization",
    '{"x-api-key": "$"}': "authorization",
    "AWS_SECRET_ACCESS_KEY=$": "aws-secret-key",
    "aws_secret_access_key = '$'": "aws-secret-key",
  };
  for (const [around, name] of Object.entries(texts)) {
    const body = JSON.stringify({ input: around.replace("$", secret) });
    const shown = JSON.stringify({ input: around.replace("$", `[redacted ${name}]`) });
    expect(redact(body)).toEqual({ text: shown, count: 1 });
  }
  expect(redact('{"a":"postgres:\\/\\/ann:s3cret%21@db.example.org\\/x"}').text).toBe(
    '{"a":"postgres:\\/\\/ann:[redacted password]@db.example.org\\/x"}',
  );
});

test("a private key that was cut off is taken out as far as it goes", () => {
  const text = JSON.stringify({ a: `${BEGIN}\n${run(64)}\n${run(20)}`, b: "stays" });
  expect(redact(text)).toEqual({ text: '{"a":"[redacted private-key]","b":"stays"}', count: 1 });
});

test("what only looks like a secret stays, and the body is then the same buffer", () => {
  const texts = [
    "task-force-of-twenty-people-1 and scikit sk-learn-is-a-library-with-a-name",
    "authorization: request.headers.authorization, `Bearer ${token}`, bearer of bad tidings for 20 days",
    "https://example.org:8080/a@b and ann@example.org, postgres://ann:${PASSWORD}@db",
    "const secretAccessKey = process.env.AWS_SECRET_ACCESS_KEY; eyJust.a.word",
    randomBytes(200_000).toString("base64"),
    "toolu_01A09q90qw90lq917835lq9 call_abcdefghijklmnopqrstuvwx1 msg_0123456789abcdef0123456789abcdef",
  ];
  const body = Buffer.from(JSON.stringify({ model: "gpt-5", texts }));
  const answer = createRedactor().redact(body);
  expect(answer).toEqual({ body, count: 0 });
  expect(answer.body).toBe(body);
});

test("every byte beside the secrets stays, also what is odd, and what is no UTF-8", () => {
  const key = `glpat-${run(20)}`;
  const odd = (secret: string) =>
    `{ "é\\u00e9\\/" :1.0e+2,\t"a":"\\uD83D\\uDE00😀ä${secret}ö\\n" ,"${secret}":[ "${secret}${secret}"]}\n`;
  const shown = "[redacted gitlab-token]";
  expect(redact(odd(` ${key}`))).toEqual({ text: odd(` ${shown}`), count: 4 });
  const bytes = (text: string) => Buffer.from(`{"a":"\xff ${text}\xfe"}`, "latin1");
  expect(createRedactor().redact(bytes(key)).body).toEqual(bytes(shown));
});

test("configured patterns are taken out of values, and not out of names", () => {
  const lines = "# of the house\nACME-\\d{4}\n\nänn\n";
  expect(redact('{"änn":"ACME-1234, \\u00e4nn and ACME-12"}', lines)).toEqual({
    text: '{"änn":"[redacted pattern], [redacted pattern] and ACME-12"}',
    count: 2,
  });
});

test("patterns that cannot work are refused with their line", () => {
  const refusal = (lines: string) => {
    try {
      configuredPatterns(lines, "p.txt");
      return "taken";
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };
  expect(refusal("a\n(b")).toMatch(/^Line 2 of p\.txt is no regular expression: /);
  expect(refusal("x*")).toBe("Line 1 of p.txt matches nothing at all: it would be found everywhere.");
  expect(refusal("x".repeat(501))).toBe("Line 1 of p.txt is longer than 500 characters.");
  expect(refusal("x\n".repeat(51))).toBe("p.txt has more than 50 patterns.");
  expect(configuredPatterns("\n# none\n", "p.txt")).toBeUndefined();
});

test("a pattern that would take for ever ends, and nothing is sent", () => {
  const redactor = createRedactor(configuredPatterns("(?:a+)+b", "p.txt", 50));
  expect(() => redactor.redact(Buffer.from(`{"a":"${"a".repeat(60)}"}`))).toThrow(/took too long/);
  expect(redactor.redact(Buffer.from('{"a":"xaab"}')).body.toString()).toBe('{"a":"x[redacted pattern]"}');
});

test.each([
  ["sk-", "sk-"],
  ["sk- apart", " sk-aaaaaaaaaaaaaaaaaaa"],
  ["JWT", "eyJaaaaaaaaaaaa."],
  ["private keys", `${BEGIN}\n`],
  ["bearers", "bearer bearer="],
  ["names", 'authorization": "'],
  ["addresses", "://:://a:b"],
  ["backslashes", '\\\\\\"'],
  ["quotes", '","'],
])("a megabyte of beginnings of secrets (%s) is gone through in time", (_, part) => {
  const text = `{"a":"${JSON.stringify(part)
    .slice(1, -1)
    .repeat(Math.ceil(1e6 / part.length))}@ghp_"}`;
  configuredPatterns("x", "p.txt", 4000)!.inTime(() => redact(text));
});

async function gateway(options: Omit<FixtureOptions, "deployments">) {
  const up = await scripted({ text: "Hello", usage: { inputTokens: 3, outputTokens: 1 } });
  ends.push(() => up.close());
  const way: GatewayFixture = await startGateway({ deployments: [{ baseUrl: up.baseUrl }], ...options });
  ends.push(() => way.close());
  return { up, way };
}

test("the gateway sends requests without the secrets, says how many, and tells who watches", async () => {
  const counts: number[] = [];
  const observer = { redacted: (count: number) => void counts.push(count) };
  const { up, way } = await gateway({ redactor: createRedactor(), observer });
  const ask = (content: string) => JSON.stringify({ model: "m", messages: [{ role: "user", content }] });
  const answers = [
    await way.post("/v1/chat/completions", ask(`Use ghp_${run(36)} or glpat-${run(20)}`)),
    await way.post("/v1/chat/completions", ask("Nothing secret")),
  ];
  expect(answers.map(({ status, headers }) => [status, headers.get("x-handrail-redacted")])).toEqual([
    [200, "2"],
    [200, "0"],
  ]);
  const sent = (content: string) => JSON.stringify({ model: "up", messages: [{ role: "user", content }] });
  expect(up.requests().map(({ text }) => text)).toEqual([
    sent("Use [redacted github-token] or [redacted gitlab-token]"),
    sent("Nothing secret"),
  ]);
  expect(counts).toEqual([2]);
});

test("a prompt whose tokens are counted leaves without the secrets too", async () => {
  const { up, way } = await gateway({ redactor: createRedactor() });
  const content = `glpat-${run(20)}`;
  const answer = await way.post("/v1/messages/count_tokens", { model: "m", messages: [{ role: "user", content }] });
  expect(answer.headers.get("x-handrail-redacted")).toBe("1");
  expect(up.requests().filter(({ text }) => text.includes(content))).toEqual([]);
});

test("the gateway refuses a request that it could not look through, and sends nothing", async () => {
  const redactor = createRedactor(configuredPatterns("(?:a+)+b", "p.txt", 20));
  const { up, way } = await gateway({ redactor });
  const answer = await way.post("/v1/chat/completions", {
    model: "m",
    messages: [{ role: "user", content: "a".repeat(60) }],
  });
  expect([answer.status, answer.headers.get("x-handrail-error")]).toEqual([503, "redaction_failed"]);
  expect(up.requests()).toEqual([]);
});

test("without a redactor nothing is changed and nothing is said", async () => {
  const { up, way } = await gateway({});
  const content = `ghp_${run(36)}`;
  const answer = await way.post("/v1/chat/completions", { model: "m", messages: [{ role: "user", content }] });
  expect(answer.headers.get("x-handrail-redacted")).toBeNull();
  expect(up.requests()[0]?.text).toContain(content);
});
