import { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { firstBytes, readBeginning } from "./first-bytes.ts";

/** A client hello of TLS 1.3 that asks for `a.test`, as a handshake without its records. */
const HELLO = Buffer.from(`0100003a0303${"00".repeat(32)}00000213010100000f0000000b0009000006612e74657374`, "hex");

/** A handshake in records of so many bytes each. */
function inRecords(handshake: Buffer, size: number): Buffer {
  const count = Math.ceil(handshake.length / size);
  const parts = Array.from({ length: count }, (_, at) => handshake.subarray(at * size, (at + 1) * size));
  return Buffer.concat(parts.flatMap((part) => [Buffer.from([22, 3, 1, 0, part.length]), part]));
}

/** What is read of bytes that come in pieces which end at these places. */
async function readOf(bytes: Buffer, ends: readonly number[]): Promise<Uint8Array> {
  const [client, upstream] = [new PassThrough({ highWaterMark: 100_000 }), new Socket()];
  const read = firstBytes(client, upstream, new Uint8Array());
  for (const [index, end] of ends.entries()) {
    client.write(bytes.subarray(ends[index - 1] ?? 0, end));
    await turn();
    if (client.isPaused()) break;
  }
  client.end();
  return read;
}

const begun = fc.oneof(
  fc.integer({ min: 1, max: 62 }).map((size) => inRecords(HELLO, size)),
  fc
    .constantFrom(
      "GET / HTTP/1.1\r\n",
      "\r\nPOST /x HTTP/1.0\n",
      "PRI * HTTP/2.0\r\n",
      "get / http/1.1\n",
      "SSH-2.0-x\r\n",
    )
    .map((text) => Buffer.from(text)),
  fc.stringMatching(/^[A-Za-z \r\n\0\xa0/.:12-]{0,40}$/).map((text) => Buffer.from(text, "latin1")),
);
const changed = fc
  .tuple(begun, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 2 }))
  .map(([bytes, changes]) => {
    const other = Buffer.from(bytes);
    for (const [at, byte] of changes) if (other.length > 0) other[at % other.length] = byte;
    return other;
  });

test("a client's first bytes are told alike however they are cut, as soon as they can be told", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(changed, cuts, async (bytes, sizes) => {
      const ends: number[] = [];
      for (let end = 0; end < bytes.length;)
        ends.push((end = Math.min(bytes.length, end + (sizes[ends.length % sizes.length] ?? 1))));
      const clear = ends.find((end) => readBeginning(bytes.subarray(0, end)) !== "more") ?? bytes.length;
      expect((await readOf(bytes, ends)).length).toBe(clear);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("records and lines without end that come byte by byte cost time in proportion to their bytes", async () => {
  const records = Buffer.alloc(65_536, inRecords(Buffer.from([1, 255, 255, 255, 1]), 1));
  for (const [bytes, most] of [
    [records, 65_536],
    [Buffer.alloc(40_000, "A"), 32_768],
  ] as const) {
    const client = new PassThrough({ highWaterMark: 100_000 });
    const read = firstBytes(client, new Socket(), new Uint8Array());
    for (const byte of bytes) client.write(Uint8Array.of(byte));
    expect((await read).length).toBe(most);
  }
});
