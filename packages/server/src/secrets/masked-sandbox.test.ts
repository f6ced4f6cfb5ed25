import type { Sandbox } from "@handrail/core/ports/sandbox";
import { secretMasker, type SecretMasker } from "@handrail/core/secrets/secret-masker";
import { scriptedSandbox, type SandboxHandlers } from "@handrail/core/testing/scripted-sandbox";
import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { maskedSandbox } from "./masked-sandbox.ts";

const VALUE = "value-0123456789abcdef";
const LABEL = `[secret KEY]${"*".repeat(VALUE.length - 12)}`;
const masker = secretMasker([{ name: "KEY", value: VALUE }]);
const { signal } = new AbortController();

const masked = (handlers: SandboxHandlers): Sandbox =>
  maskedSandbox(scriptedSandbox(handlers), { masker: async () => masker, prepare: async () => undefined });
type Wanted = { readonly offset: number; readonly length: number };
const piece = ({ offset, length }: Wanted, content: Buffer) => ({
  size: content.length,
  data: content.subarray(offset, offset + length).toString("base64"),
});
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("a result's texts are masked, however deep", async () => {
  const sandbox = masked({
    "process.run": async () => ({ exitCode: 0, stdout: `a ${VALUE}`, stderr: base64(VALUE), cut: false }),
  });
  const args = { argv: ["x"], timeoutMs: 1, capBytes: 1 };
  expect(await sandbox.call("process.run", args, { signal })).toEqual({
    exitCode: 0,
    stdout: "a [secret KEY]",
    stderr: expect.stringMatching(/^\[secret KEY\].{0,3}$/),
    cut: false,
  });
});

test("a sandbox is brought up to date before each call, and says without secrets why it is gone", async () => {
  const done: string[] = [];
  const gone = Promise.withResolvers<string>();
  const inner: Sandbox = {
    ...scriptedSandbox({
      "process.run": async () => {
        done.push("call");
        return { exitCode: 0, stdout: "", stderr: "", cut: false };
      },
    }),
    gone: gone.promise,
  };
  const prepare = async () => void done.push("prepare");
  const sandbox = maskedSandbox(inner, { masker: async () => masker, prepare });
  const args = { argv: ["x"], timeoutMs: 1, capBytes: 1 };
  await sandbox.call("process.run", args, { signal });
  await sandbox.call("process.run", args, { signal });
  expect(done).toEqual(["prepare", "call", "prepare", "call"]);
  gone.resolve(`it said ${VALUE}`);
  expect(await sandbox.gone).toBe("it said [secret KEY]");
});

test("a file that is read in pieces is masked where a piece cuts the secret, and keeps its length", async () => {
  const content = Buffer.from(`head ${VALUE} tail`);
  const sandbox = masked({
    "file.bytes": async (args) => ({ path: "f", ...piece(args as Wanted, content) }),
  });
  const read = async (offset: number, length: number) => {
    const args = { path: "f", offset, length, within: "workspace" } as const;
    return Buffer.from((await sandbox.call("file.bytes", args, { signal })).data, "base64").toString();
  };
  expect(await read(0, content.length)).toBe(`head ${LABEL} tail`);
  for (let cut = 0; cut <= content.length; cut += 1) {
    expect((await read(0, cut)) + (await read(cut, content.length - cut))).toBe(`head ${LABEL} tail`);
  }
});

test("a patch that holds a secret is refused, also where its pieces cut it", async () => {
  const content = Buffer.from(`+${VALUE}\n`);
  const sandbox = masked({
    "workspace.patch": async (args) => piece(args as Wanted, content),
  });
  const half = 8;
  await sandbox.call("workspace.patch", { offset: 0, length: half }, { signal });
  await expect(sandbox.call("workspace.patch", { offset: half, length: 100 }, { signal })).rejects.toMatchObject({
    code: "secret_in_result",
    details: { secret: "KEY" },
  });
});

test("a patch that holds a part of a file of credentials is refused", async () => {
  const key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  const file = `[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = ${key}\n`;
  const content = Buffer.from(`+[other]\n+key: ${key}\n`);
  const inner = scriptedSandbox({ "workspace.patch": async (args) => piece(args as Wanted, content) });
  const credentials = secretMasker([{ name: "AWS", value: file }]);
  const sandbox = maskedSandbox(inner, { masker: async () => credentials, prepare: async () => undefined });
  await expect(sandbox.call("workspace.patch", { offset: 0, length: 100 }, { signal })).rejects.toMatchObject({
    code: "secret_in_result",
    details: { secret: "AWS" },
  });
});

test("a file's two sides are masked, and what is no text passes", async () => {
  const sandbox = masked({
    "workspace.file": async () => ({ before: null, after: base64(VALUE), binary: false }),
  });
  expect(await sandbox.call("workspace.file", { path: "f", capBytes: 1 }, { signal })).toEqual({
    before: null,
    after: base64(LABEL),
    binary: false,
  });
});

test("live output is masked across its pieces at the same offsets, also where it is followed from within a secret", async () => {
  const content = Buffer.from(`out ${VALUE} end`);
  const follow = async (from: number) => {
    const inner = scriptedSandbox({ "terminal.watch": async () => ({}) });
    const live: Sandbox = {
      ...inner,
      async call(operation, args, options) {
        const begin = options.outputFrom ?? 0;
        for (let at = begin; at < content.length; at += 5) options.onOutput?.(at, content.subarray(at, at + 5));
        return inner.call(operation, args, options);
      },
    };
    const sandbox = maskedSandbox(live, { masker: async () => masker, prepare: async () => undefined });
    const seen = Buffer.alloc(content.length, ".");
    const onOutput = (offset: number, bytes: Uint8Array) => seen.set(bytes, offset);
    await sandbox.call("terminal.watch", { terminal: "main" }, { signal, onOutput, outputFrom: from });
    return seen.toString();
  };
  // A beginning of one byte is shown at once, as what a person types must be.
  expect(await follow(0)).toBe("out v[secret KEY]********* end");
  expect((await follow(10)).slice(10)).not.toContain(VALUE.slice(8, 14));
  expect((await follow(10)).endsWith(" end")).toBe(true);
});

test("large data is masked in slices of 64 KiB, also where they cut the secret", async () => {
  const size = 2 ** 20;
  const content = Buffer.concat([Buffer.alloc(size - 5, "x"), Buffer.from(`${VALUE} end`)]);
  const slices: number[] = [];
  const watched: SecretMasker = {
    ...masker,
    stream(...how) {
      const inner = masker.stream(...how);
      return { ...inner, push: (bytes) => inner.push(noted(bytes)) };
    },
    search() {
      const inner = masker.search();
      return (bytes) => inner(noted(bytes));
    },
  };
  const noted = (bytes: Uint8Array) => {
    slices.push(bytes.length);
    return bytes;
  };
  const inner = scriptedSandbox({
    "file.bytes": async (args) => ({ path: "f", ...piece(args as Wanted, content) }),
    "workspace.patch": async (args) => piece(args as Wanted, content),
    "process.run": async () => ({ exitCode: 0, stdout: content.toString(), stderr: "", cut: false }),
  });
  const sandbox = maskedSandbox(inner, { masker: async () => watched, prepare: async () => undefined });
  const whole = { offset: 0, length: content.length };
  const file = await sandbox.call("file.bytes", { path: "f", ...whole, within: "workspace" }, { signal });
  const run = await sandbox.call("process.run", { argv: ["x"], timeoutMs: 1, capBytes: 1 }, { signal });
  const patch = sandbox.call("workspace.patch", whole, { signal });
  await expect(patch).rejects.toMatchObject({ code: "secret_in_result" });
  const filled = "x".repeat(size - 5);
  expect(Buffer.from(file.data, "base64").toString() === `${filled}${LABEL} end`).toBe(true);
  expect(run.stdout === `${filled}[secret KEY] end`).toBe(true);
  expect([slices.length, Math.max(...slices)]).toEqual([17 * 4, 2 ** 16]);
});

test("what a failed call says is masked", async () => {
  const sandbox = masked({
    "file.read": async () => {
      throw new AppError("path_missing", `There is no ${VALUE}.`, { path: VALUE });
    },
  });
  const args = { path: "x", fromLine: 1, maxLines: 1, capBytes: 1, within: "workspace" } as const;
  await expect(sandbox.call("file.read", args, { signal })).rejects.toMatchObject({
    code: "path_missing",
    message: "There is no [secret KEY].",
    details: { path: "[secret KEY]" },
  });
});
