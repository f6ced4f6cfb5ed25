import { expect, test } from "vitest";
import { refusedUpdate } from "./git-request.ts";
import { pushReader, pushRejection } from "./receive-pack.ts";

const parsePush = (bytes: Buffer) => pushReader()(bytes);
const OLD = "1".repeat(40);
const NEW = "2".repeat(40);
const NONE = "0".repeat(40);

const packet = (text: string) => `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, "0")}${text}`;
const push = (...lines: string[]) => Buffer.from(`${lines.map(packet).join("")}0000PACK...`);
const FIRST = `${OLD} ${NEW} refs/heads/main\0 report-status side-band-64k agent=git/2`;

test("a push's commands are read, wherever its bytes are cut", () => {
  const bytes = push(FIRST, `${OLD} ${NONE} refs/tags/v1\n`, `shallow ${OLD}`);
  const whole = {
    updates: [
      { ref: "refs/heads/main", deletes: false },
      { ref: "refs/tags/v1", deletes: true },
    ],
    capabilities: ["report-status", "side-band-64k", "agent=git/2"],
  };
  expect(parsePush(bytes)).toEqual(whole);
  const end = bytes.indexOf("PACK");
  const read = pushReader();
  for (let length = 0; length < end; length += 1) {
    expect([parsePush(bytes.subarray(0, length)), read(bytes.subarray(length, length + 1))]).toEqual(
      length === end - 1 ? ["more", whole] : ["more", "more"],
    );
  }
});

test.each([
  ["a signed push", push(`push-cert\0 report-status`)],
  ["a ref outside refs/", push(`${OLD} ${NEW} HEAD`)],
  ["a ref of five thousand letters", push(`${OLD} ${NEW} refs/heads/${"a".repeat(5000)}`)],
  ["no packets", Buffer.from("hello")],
  ["the packets of another protocol", Buffer.from("0001")],
])("what cannot be checked is invalid: %s", (_what, bytes) => {
  expect(parsePush(bytes)).toBe("invalid");
});

test("a rule allows its branches and tags, and deletions only when it says so", () => {
  const rules = [{ repository: "a/b", branches: ["agent/**", "fix-*"], tags: ["v*"] }];
  const update = (ref: string, deletes = false) => ({ ref, deletes });
  const allowed = [update("refs/heads/agent/x/y"), update("refs/heads/fix-1"), update("refs/tags/v1")];
  expect(refusedUpdate(rules, allowed)).toBeUndefined();
  for (const bad of ["refs/heads/main", "refs/heads/fix-1/x", "refs/tags/w", "refs/notes/agent/x", "refs/heads/"]) {
    expect(refusedUpdate(rules, [...allowed, update(bad)])).toEqual(update(bad));
  }
  expect(refusedUpdate(rules, [update("refs/heads/fix-1", true)])).toEqual(update("refs/heads/fix-1", true));
  expect(refusedUpdate([{ repository: "a/b", branches: ["*"], deletions: true }], [update("refs/heads/x", true)])).toBe(
    undefined,
  );
});

test("a push that is not carried out is answered as git shows it, for each ref", () => {
  const commands = { updates: [{ ref: "refs/heads/main", deletes: false }], capabilities: ["report-status"] };
  const ng = packet("ng refs/heads/main No.\n");
  expect(pushRejection(commands, "No.")?.toString()).toBe(`${packet("unpack ok\n")}${ng}0000`);
  expect(pushRejection({ ...commands, capabilities: [] }, "No.")).toBeUndefined();
});
