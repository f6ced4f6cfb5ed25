import { expect, test } from "vitest";
import { SecretInput } from "./secrets.ts";

const input = (use: object, more: object = {}) => ({ scope: { type: "owner" }, value: "12345678", use, ...more });
const header = (more: object) => input({ type: "header", hosts: [{ host: "a.test" }], ...more });
const accepted = (value: unknown) => SecretInput.safeParse(value).success;

test.each([
  "Host",
  "content-length",
  "Transfer-Encoding",
  "connection",
  "Upgrade",
  "TE",
  "Trailer",
  "Expect",
  "a b",
  "",
])("a secret cannot be put into the header %j, which frames a message or is none", (name) => {
  expect([accepted(header({ header: name })), accepted(header({ header: "X-Key" }))]).toEqual([false, true]);
});

test.each(["{secret}\r\nHost: b.test", "Bearer", "{secret}é", ""])("a secret cannot be formatted as %j", (format) => {
  expect([accepted(header({ format })), accepted(header({ format: "Bearer {secret}" }))]).toEqual([false, true]);
});

test.each(["PATH", "LD_PRELOAD", "HTTPS_PROXY", "HANDRAIL_X", "BASH_ENV", "lower", "1A"])(
  "a secret's variable cannot be %s",
  (environment) => {
    const file = { type: "file" };
    expect([accepted(input(file, { environment })), accepted(input(file, { environment: "TOKEN" }))]).toEqual([
      false,
      true,
    ]);
  },
);

test.each(["two\nlines", "with\0zero", "a return\r", "Ωmega-Ωmega"])(
  "a value that no header may have is for other uses: %j",
  (value) => {
    const uses = [header({}), header({ user: "ada" }), input({ type: "file" })];
    const git = input({ type: "git", host: "a.test", repositories: [], push: [] });
    expect([...uses, git].map((one) => accepted({ ...one, value }))).toEqual([false, true, true, true]);
    expect(accepted({ ...header({}), value: "caf\u00e9 and\ttabs" })).toBe(true);
  },
);

test("a value that is too short to be masked is refused, and one that is too long", () => {
  const of = (value: string) => accepted({ ...header({}), value });
  expect([of("1234567"), of("12345678"), of("x".repeat(16_384)), of("x".repeat(16_385))]).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
