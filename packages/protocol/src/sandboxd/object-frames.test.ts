import { expect, test } from "vitest";
import {
  encodeObjectFrame,
  headBytes,
  objectFrames,
  plainPieceAt,
  sentFrames,
  writeNamedFrame,
} from "./object-frames.ts";

const NAME = "0123456789abcdef".repeat(4);
const frame = { kind: "blob", packed: false, size: 3, data: Uint8Array.of(1, 2, 3) } as const;

function named(name = NAME): Uint8Array<ArrayBuffer> {
  const plain = encodeObjectFrame(frame);
  const into = new Uint8Array(5 + headBytes(true) + frame.size);
  expect(writeNamedFrame(into, 5, plain, name)).toBe(into.length);
  return into.slice(5);
}

test("frames come back whole, with names and without, when the bytes are cut at any place", () => {
  const plain = encodeObjectFrame(frame);
  const bytes = Uint8Array.from([...named(), ...plain, ...named()]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames = sentFrames();
    const found = [...frames.take(bytes.slice(0, cut)), ...frames.take(bytes.slice(cut))];
    frames.end();
    expect(found).toEqual([{ ...frame, name: NAME }, frame, { ...frame, name: NAME }]);
  }
});

test("a name is refused from those whose names are not believed", () => {
  expect(() => objectFrames().take(named())).toThrow(expect.objectContaining({ code: "checkpoint_invalid" }));
});

test.each(["../../x".padEnd(64, "."), "G".repeat(64)])("a name that is none is refused: %s", (name) => {
  expect(() => sentFrames().take(named(name))).toThrow(expect.objectContaining({ code: "checkpoint_invalid" }));
});

test("the end in the middle of a frame is refused", () => {
  const frames = sentFrames();
  frames.take(named().slice(0, -1));
  expect(() => frames.end()).toThrow(expect.objectContaining({ code: "checkpoint_invalid" }));
});

test("where a piece's bytes begin is said of the whole frame of one that is not compressed, and of nothing else", () => {
  const [plain, packed, tree] = [frame, { ...frame, packed: true }, { ...frame, kind: "tree" } as const].map(
    encodeObjectFrame,
  );
  const all = Uint8Array.from([...plain!, ...packed!, ...tree!]);
  const { length } = plain!;
  expect(plainPieceAt(all, 0, length)).toBe(length - frame.size);
  expect([...all.subarray(length - frame.size, length)]).toEqual([1, 2, 3]);
  const others = [0, 1, length, 2 * length, 3 * length].map((at) => plainPieceAt(all, at, length)).slice(1);
  const cut = [plainPieceAt(all, 0, length - 1), plainPieceAt(all, 0, length + 1), plainPieceAt(plain!, 0, length + 1)];
  expect([...others, ...cut]).toEqual(Array.from({ length: 7 }, () => undefined));
});
