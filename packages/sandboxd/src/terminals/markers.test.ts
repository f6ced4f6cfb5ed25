import { expect, test } from "vitest";
import { markerParser, markerPrefix, type Piece } from "./markers.ts";

const PREFIX = markerPrefix("abc");
const STREAM = Buffer.from(
  `one\u001b[31m${PREFIX}start;k_1\u0007out\u001b]0;title\u0007${PREFIX}prompt;2;/w;x\u0007$ ${PREFIX}ready\u0007end`,
);

const EXPECTED = [
  "one\u001b[31m",
  { kind: "start", id: "k_1" },
  "out\u001b]0;title\u0007",
  { kind: "prompt", exitCode: 2, cwd: "/w;x" },
  "$ ",
  { kind: "ready" },
  "end",
];

/** Text of neighbouring pieces joined. */
function simplified(pieces: readonly Piece[]): unknown[] {
  const all: unknown[] = [];
  for (const piece of pieces) {
    if ("marker" in piece) {
      const { marker } = piece;
      all.push(marker.kind === "prompt" ? { ...marker, cwd: marker.cwd.toString() } : marker);
    } else if (typeof all.at(-1) === "string") all.push(`${String(all.pop())}${Buffer.from(piece.bytes).toString()}`);
    else all.push(Buffer.from(piece.bytes).toString());
  }
  return all;
}

test("markers and bytes are told apart when the stream is cut at any place", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parse = markerParser("abc");
    const pieces = [...parse(STREAM.subarray(0, cut)), ...parse(STREAM.subarray(cut))];
    expect(simplified(pieces)).toEqual(EXPECTED);
  }
});

test("markers and bytes are told apart when the bytes come one by one", () => {
  const parse = markerParser("abc");
  expect(simplified(Array.from(STREAM, (byte) => parse(Uint8Array.of(byte))).flat())).toEqual(EXPECTED);
});

test("another shell's markers are plain output", () => {
  const bytes = Buffer.from(`${markerPrefix("xyz")}ready\u0007`);
  expect(simplified(markerParser("abc")(bytes))).toEqual([bytes.toString()]);
});

test("a marker without an end is let go as output", () => {
  const parse = markerParser("abc");
  const long = `${PREFIX}start;${"x".repeat(9000)}`;
  expect(simplified([...parse(Buffer.from(long)), ...parse(Buffer.from("y"))])).toEqual([
    `${long.slice(PREFIX.length)}y`,
  ]);
});
