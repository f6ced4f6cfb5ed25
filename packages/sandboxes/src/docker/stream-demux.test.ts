import { duplexPair } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { outputDecoder, programStream } from "./stream-demux.ts";

const part = (kind: number, text: string) => {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, Buffer.from(text)]);
};
const WIRE = Buffer.concat([part(1, "one"), part(2, "oops"), part(1, ""), part(1, "two")]);

test("output that is cut at any byte comes out whole and in order", () => {
  for (let cut = 0; cut <= WIRE.length; cut++) {
    const decode = outputDecoder();
    const parts = [...decode(WIRE.subarray(0, cut)), ...decode(WIRE.subarray(cut))];
    const text = (stdout: boolean) =>
      parts.flatMap((one) => (one.stdout === stdout ? [one.bytes.toString()] : [])).join("");
    expect([cut, text(true), text(false)]).toEqual([cut, "onetwo", "oops"]);
  }
});

test("output that comes byte by byte comes out whole", () => {
  const decode = outputDecoder();
  const parts = [...WIRE].flatMap((byte) => decode(Buffer.from([byte])));
  expect(parts.map((one) => one.bytes.toString()).join("")).toBe("oneoopstwo");
});

test("a program's stream carries standard output, tells standard error apart, and takes input", async () => {
  const [socket, daemon] = duplexPair();
  let complaint = "";
  const stream = programStream(socket, (bytes) => (complaint += bytes.toString()));
  stream.write("input");
  daemon.end(WIRE);
  expect((await buffer(stream)).toString()).toBe("onetwo");
  expect([complaint, (await buffer(daemon)).toString()]).toEqual(["oops", "input"]);
});
