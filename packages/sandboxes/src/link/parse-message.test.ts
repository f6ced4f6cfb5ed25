import { expect, onTestFinished, test, vi } from "vitest";
import { MAX_FRAME_BYTES } from "@handrail/protocol/sandboxd/frames";
import { parseMessage } from "./parse-message.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

const ended = (result: string) => bytesOf(`{"type":"ended","id":"x","outcome":{"ok":true,"result":${result}}}`);
const filled = (item: string) => item.repeat(Math.floor((MAX_FRAME_BYTES - 200) / item.length)).slice(0, -1);

test.each([
  ["numbers", `[${filled("0,")}]`],
  ["records", `[${filled("{},")}]`],
  ["lists in lists", "[".repeat(MAX_FRAME_BYTES / 2) + "]".repeat(MAX_FRAME_BYTES / 2)],
])("a message as large as a frame, all of %s, is not read", (_what, result) => {
  const message = ended(result);
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  expect(() => parseMessage(message)).toThrow(expect.objectContaining({ code: "sandboxd_protocol" }));
  expect(parse).not.toHaveBeenCalled();
});

test("a message as large as a frame, all of it one text, is taken", () => {
  const data = 'x\\"'.repeat(2_000_000);
  expect(parseMessage(ended(`{"data":"${data}"}`))).toEqual({
    type: "ended",
    id: "x",
    outcome: { ok: true, result: { data: data.replaceAll("\\", "") } },
  });
});
