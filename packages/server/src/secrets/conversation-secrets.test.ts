import { isDeepStrictEqual } from "node:util";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { conversationSecrets } from "./conversation-secrets.ts";
import type { OpenSecret } from "./sealed-values.ts";
import type { MaskedValue } from "./secret-store.ts";

const signal = new AbortController().signal;
const times = { createdAt: 0, changedAt: 1, lastUsedAt: null };
const token: OpenSecret = {
  ...times,
  name: "TOKEN",
  value: "value-of-the-token",
  scope: { type: "owner" },
  use: { type: "header", hosts: [{ host: "a.test" }] },
  environment: "TOKEN",
};
const file: OpenSecret = {
  ...token,
  name: "KEY",
  value: "value-of-the-key",
  use: { type: "file" },
  environment: "KEY",
};
const bare: OpenSecret = { ...token, name: "BARE", value: "value-without-a-name", environment: undefined };

const HOLDER = { ownerId: "ada", teamId: "core", repository: "https://git.test/app" };

/** Secrets of the conversations c_1 and c_2, which can be changed; others wait for their conversation. */
function setUp(held: readonly OpenSecret[] = [token, file, bare], had: readonly MaskedValue[] = []) {
  let now = held;
  let made = 0;
  const used: unknown[] = [];
  const equipped: unknown[] = [];
  let failure: AppError | undefined;
  const secrets = conversationSecrets({
    store: {
      list: async () => [],
      for: async (holder) => (isDeepStrictEqual(holder, HOLDER) ? now : []),
      had: async (holder) => (isDeepStrictEqual(holder, HOLDER) ? had : []),
      save: async () => token,
      remove: async () => undefined,
      used: async (holder, names) => void used.push([holder, names]),
    },
    conversation: async (id) => (id === "c_0" ? undefined : HOLDER),
    newAuthority: () => ({ certificate: `certificate ${++made}` }),
    placeholderKey: Buffer.alloc(32, 7),
  });
  const call = async (operation: string, args: unknown) => {
    if (failure !== undefined) throw failure;
    equipped.push([operation, args]);
  };
  const newSandbox = () => ({ call }) as unknown as Sandbox;
  const change = (next: readonly OpenSecret[]) => (now = next);
  const fail = (next: AppError | undefined) => (failure = next);
  return { secrets, newSandbox, change, fail, used, equipped };
}

test("each conversation has an authority and placeholders of its own, which stay; files and nameless secrets have none", async () => {
  const { secrets } = setUp();
  const [one, again, other] = [
    await secrets.openWith("c_1"),
    await secrets.openWith("c_1"),
    await secrets.openWith("c_2"),
  ];
  expect([one.authority, again.authority, other.authority].map(({ certificate }) => certificate)).toEqual([
    "certificate 1",
    "certificate 1",
    "certificate 2",
  ]);
  const placeholders = ({ secrets: held }: typeof one) => held.map(({ placeholder }) => placeholder);
  expect(placeholders(one)).toEqual([
    expect.stringMatching(/^handrail-secret-TOKEN-[0-9a-f]{24}$/),
    undefined,
    undefined,
  ]);
  expect(placeholders(again)).toEqual(placeholders(one));
  expect(placeholders(other)[0]).not.toBe(placeholders(one)[0]);
  expect(one.secrets[0]).toMatchObject({ name: "TOKEN", value: token.value, use: token.use });
  expect(JSON.stringify(placeholders(one))).not.toContain(token.value);
  secrets.forget("c_1");
  expect((await secrets.openWith("c_1")).authority).toEqual({ certificate: "certificate 3" });
});

test("conversations with the same secrets share what masks them", async () => {
  const { secrets } = setUp();
  expect(await secrets.maskerFor("c_1")).toBe(await secrets.maskerFor("c_2"));
});

test("a sandbox is given certificate, placeholders and files once, and again when a secret has changed or is another's", async () => {
  const { secrets, newSandbox, change, equipped } = setUp();
  const sandbox = newSandbox();
  await Promise.all([secrets.equip("c_1", sandbox, signal), secrets.equip("c_1", sandbox, signal)]);
  const [placeholder] = (await secrets.openWith("c_1")).secrets.map((one) => one.placeholder);
  expect(equipped).toEqual([
    [
      "sandbox.equip",
      {
        authority: "certificate 1",
        environment: { TOKEN: placeholder },
        files: [{ name: "KEY", data: Buffer.from(file.value).toString("base64"), environment: "KEY" }],
      },
    ],
  ]);
  expect(JSON.stringify(equipped)).not.toContain(token.value);
  change([{ ...token, changedAt: 2 }]);
  await secrets.equip("c_1", sandbox, signal);
  expect(equipped.slice(1)).toMatchObject([["sandbox.equip", { files: [] }]]);
  change([{ ...token, scope: { type: "team", teamId: "core" }, changedAt: 2 }]);
  await secrets.equip("c_1", sandbox, signal);
  expect(equipped).toHaveLength(3);
  await secrets.equip("c_1", newSandbox(), signal);
  expect(equipped).toHaveLength(4);
});

test("a sandbox that waits for its conversation is given nothing", async () => {
  const { secrets, newSandbox, equipped } = setUp();
  await secrets.equip("c_0", newSandbox(), signal);
  expect([equipped, (await secrets.openWith("c_0")).secrets]).toEqual([[], []]);
});

test("what could not be given is given at the next time; an older sandbox goes on without", async () => {
  const { secrets, newSandbox, fail, equipped } = setUp();
  const sandbox = newSandbox();
  fail(new AppError("sandbox_gone", "Gone."));
  await expect(secrets.equip("c_1", sandbox, signal)).rejects.toMatchObject({ code: "sandbox_gone" });
  fail(undefined);
  await secrets.equip("c_1", sandbox, signal);
  expect(equipped).toHaveLength(1);
  fail(new AppError("tool_unknown", "What?"));
  await secrets.equip("c_1", newSandbox(), signal);
});

test("values that a conversation had earlier stay masked, and no other conversation's are", async () => {
  const { secrets, change } = setUp([token]);
  expect(secrets.text("c_1", token.value)).toBe(token.value);
  await secrets.openWith("c_1");
  change([{ ...token, value: "another-value", changedAt: 2 }, bare]);
  const masker = await secrets.maskerFor("c_1");
  const all = `${token.value} another-value ${bare.value}`;
  const masked = "[secret TOKEN] [secret TOKEN] [secret BARE]";
  expect([masker.text(all), secrets.text("c_1", all)]).toEqual([masked, masked]);
  expect(await secrets.maskerFor("c_1")).toBe(masker);
  expect((await secrets.maskerFor("c_2")).text(all)).toBe(`${token.value} [secret TOKEN] [secret BARE]`);
  secrets.forget("c_1");
  expect(secrets.text("c_1", all)).toBe(all);
});

test("a use is noted for the conversation, and none for nobody", async () => {
  const { secrets, used } = setUp();
  await secrets.used("c_1", ["TOKEN"]);
  await secrets.used("c_1", []);
  await secrets.used("c_0", ["TOKEN"]);
  expect(used).toEqual([[HOLDER, ["TOKEN"]]]);
});

test("a file is used when it is put into a sandbox, each time, and by nothing that fails", async () => {
  const { secrets, newSandbox, fail, used, change } = setUp();
  const sandbox = newSandbox();
  fail(new AppError("tool_unknown", "There is no such operation."));
  await secrets.equip("c_1", newSandbox(), signal);
  expect(used).toEqual([]);
  fail(undefined);
  await secrets.equip("c_1", sandbox, signal);
  await secrets.equip("c_1", sandbox, signal);
  expect(used).toEqual([[HOLDER, ["KEY"]]]);
  await secrets.equip("c_1", newSandbox(), signal);
  expect(used).toHaveLength(2);
  change([token]);
  await secrets.equip("c_1", newSandbox(), signal);
  expect(used).toHaveLength(2);
});

test("values that a secret had before are masked like the present one, in texts and in names of hosts", async () => {
  const { secrets } = setUp([{ ...token, earlier: ["Value-from-Before"] }]);
  const masker = await secrets.maskerFor("c_1");
  const told = `${token.value} Value-from-Before`;
  expect(masker.text(told)).toBe("[secret TOKEN] [secret TOKEN]");
  expect(secrets.text("c_1", told)).toBe("[secret TOKEN] [secret TOKEN]");
  expect(secrets.host("c_1", "value-from-before.test")).toBe("[secret TOKEN].test");
  expect(secrets.host("c_2", "value-from-before.test")).toBe("value-from-before.test");
  const { secrets: held } = await secrets.openWith("c_1");
  expect(JSON.stringify(held)).not.toContain("Before");
});

test("values that the conversation has no more are masked, and go nowhere else", async () => {
  const { secrets, newSandbox, equipped } = setUp([token], [{ name: "OLD", value: "value-that-was-removed" }]);
  const told = `${token.value} value-that-was-removed`;
  await secrets.openWith("c_1");
  expect(secrets.text("c_1", told)).toBe("[secret TOKEN] [secret OLD]");
  expect((await secrets.maskerFor("c_2")).text(told)).toBe("[secret TOKEN] [secret OLD]");
  expect((await secrets.maskerFor("c_0")).text(told)).toBe(told);
  await secrets.equip("c_1", newSandbox(), signal);
  expect(JSON.stringify([equipped, await secrets.openWith("c_1")])).not.toMatch(/removed|OLD/);
});

test("a variable that several secrets name is that of the first of them", async () => {
  const named = { ...file, environment: "TOKEN" };
  const given = async (held: readonly OpenSecret[]) => {
    const { secrets, newSandbox, equipped } = setUp(held);
    await secrets.equip("c_1", newSandbox(), signal);
    return equipped[0];
  };
  const data = Buffer.from(file.value).toString("base64");
  const placeholder = expect.stringMatching(/^handrail-secret-TOKEN-/);
  expect(await given([token, named, { ...token, name: "LAST" }])).toMatchObject([
    "sandbox.equip",
    { environment: { TOKEN: placeholder }, files: [{ name: "KEY", data }] },
  ]);
  expect(JSON.stringify(await given([token, named]))).not.toContain('"environment":"TOKEN"');
  expect(await given([named, token])).toMatchObject([
    "sandbox.equip",
    { environment: {}, files: [{ name: "KEY", data, environment: "TOKEN" }] },
  ]);
});
