import { AppError, type ErrorCode } from "@handrail/protocol/errors";
import { expect, onTestFinished, test } from "vitest";
import { answeringServer } from "./testing/answering-server.ts";

async function refused(code: ErrorCode, argv: readonly string[]) {
  const refusal = new AppError(code, "There is none.");
  const server = await answeringServer({ GET: refusal, POST: refusal, DELETE: refusal });
  onTestFinished(() => server.close());
  return server.run(argv);
}

test.each<[ErrorCode, string]>([
  ["conversation_not_found", "show c_nope"],
  ["conversation_not_found", "export c_nope"],
  ["conversation_not_found", "resume c_nope"],
  ["conversation_not_found", "checkpoints c_nope"],
  ["conversation_not_found", "asks c_nope"],
  ["not_found", "answer c_nope n_nope once"],
  ["checkpoint_unknown", "restore c_nope 9"],
  ["checkpoint_unknown", "fork c_nope 9"],
  ["checkpoint_unknown", "diff c_nope 0 9"],
])("what is named and is not there (%s) exits 2: %s", async (code, line) => {
  expect(await refused(code, line.split(" "))).toEqual({ code: 2, out: "", err: `There is none. (${code})\n` });
});

test("what goes wrong with a right command line exits 1", async () => {
  expect((await refused("storage_failed", ["show", "c_1"])).code).toBe(1);
});
