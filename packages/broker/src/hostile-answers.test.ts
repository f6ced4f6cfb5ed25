import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fairLookups } from "./fair-lookups.ts";
import { findAddresses } from "./find-addresses.ts";
import { resolveBy } from "./system-resolve.ts";

const HEADER_BYTES = 12;
const FILES = async () => ({ hosts: "", resolver: "", sources: "hosts: files dns" });
const word = (number: number) => Buffer.from([number >> 8, number & 255]);

/** A record of this kind, whatever its name, length and bytes are. */
type Record = {
  readonly name: Buffer;
  readonly kind: number;
  readonly length: number | undefined;
  readonly data: Buffer;
};
type Answer = {
  readonly flags: number;
  readonly count: number | undefined;
  readonly records: readonly Record[];
  readonly changes: readonly (readonly [number, number])[];
};

/** To a question (RFC 1035 4.1). */
function answerTo(question: Buffer, { flags, count, records, changes }: Answer): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(count ?? records.length, 6);
  head.writeUInt32BE(0, 8);
  const rows = records.map(({ name, kind, length, data }) =>
    Buffer.concat([name, word(kind), word(1), Buffer.from([0, 0, 0, 60]), word(length ?? data.length), data]),
  );
  const answer = Buffer.concat([head, ...rows]);
  for (const [at, byte] of changes) answer[2 + (at % (answer.length - 2))] = byte;
  return answer;
}

const pointer = fc.integer({ min: 0, max: 80 }).map((at) => Buffer.from([0xc0, at]));
const record = fc.record({
  name: fc.oneof(
    { weight: 4, arbitrary: fc.constant(Buffer.from([0xc0, HEADER_BYTES])) },
    pointer,
    fc.constant(Buffer.from([63, 97])),
  ),
  kind: fc.constantFrom(1, 1, 28, 5, 6, 16, 41),
  length: fc.option(fc.constantFrom(0, 3, 5, 0xffff), { nil: undefined, freq: 8 }),
  data: fc.oneof(
    fc.constantFrom([93, 184, 215, 14], [127, 0, 0, 1], [169, 254, 169, 254]).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
    pointer,
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  ),
});
const answers = fc.record({
  flags: fc.oneof({ weight: 6, arbitrary: fc.constant(0x8180) }, fc.integer({ min: 0x8000, max: 0x81ff })),
  count: fc.option(fc.constantFrom(0, 1, 65_535), { nil: undefined, freq: 8 }),
  records: fc.array(record, { maxLength: 40 }),
  changes: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
  ),
});

/** Answers in order: a public address, very many, one of this machine beside a public one. */
const PLAIN = [
  ["93.184.215.14"],
  Array.from({ length: 33 }, (_, at) => `93.184.215.${at}`),
  ["93.184.215.14", "127.0.0.1"],
].map((addresses): Answer => ({
  flags: 0x8180,
  count: undefined,
  records: addresses.map((address) => ({
    name: Buffer.from([0xc0, HEADER_BYTES]),
    kind: 1,
    length: undefined,
    data: Buffer.from(address.split(".").map(Number)),
  })),
  changes: [],
}));

test("whatever a name server answers, a name has public addresses, a few of them, or is refused", async () => {
  const sent = [...PLAIN, ...fc.sample(answers, { numRuns: 200, seed: 1 })];
  const server = createSocket("udp4");
  server.on("message", (question, { port, address }) => {
    const end = question.indexOf(0, HEADER_BYTES) + 5;
    const number = Number(
      question.toString("latin1", HEADER_BYTES + 2, HEADER_BYTES + 1 + (question[HEADER_BYTES] ?? 0)),
    );
    const answer = sent[number];
    if (answer !== undefined) server.send(answerTo(question.subarray(0, end), answer), port, address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  const servers = { servers: [`127.0.0.1:${server.address().port}`], timeoutMs: 50 };
  const lookup = fairLookups(
    (name) => resolveBy(name, FILES, servers),
    () => 0,
  );
  try {
    const found = await Promise.all(
      sent.map((_, number) =>
        findAddresses(
          { name: `n${number}.test`, address: false },
          {
            resolve: (name) => lookup(`c${number % 50}`, name),
            mayBePrivate: () => false,
            allowLoopback: false,
            ownAddresses: () => [],
          },
        ),
      ),
    );
    const reached = found.flatMap((one) => ("code" in one ? [] : [one]));
    expect(found.slice(0, PLAIN.length)).toMatchObject([
      ["93.184.215.14"],
      { code: "name_unresolved" },
      { code: "address_forbidden" },
    ]);
    for (const addresses of reached) {
      expect(addresses.length).toBeLessThanOrEqual(32);
      for (const address of addresses)
        expect([isIP(address) > 0, /^(?:127|169\.254)\.|^::/.test(address)]).toEqual([true, false]);
    }
  } finally {
    server.close();
  }
});
