import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { dnsAnswer } from "./dns-answer.ts";
import { givenAddresses } from "./given-addresses.ts";
import { headOf } from "./head-of.ts";
import { proxiedLine } from "./proxied-line.ts";

/** A question as resolvers send it, of a type and for a name. */
function question(name: string, type: number): Buffer {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

test("each name has an address of the loopback for good, and what is no public name has none", () => {
  const { addressOf, nameOf } = givenAddresses();
  expect(["a.example", "b.example", "A.Example"].map(addressOf)).toEqual(["127.64.0.1", "127.64.0.2", "127.64.0.1"]);
  expect(["127.64.0.2", "127.0.0.1"].map(nameOf)).toEqual(["b.example", undefined]);
  const none = [
    "plain",
    "x.local",
    "1.0.0.127.in-addr.arpa",
    "a..b",
    "a b.example",
    "-a.example",
    `${"a".repeat(64)}.example`,
  ];
  expect(none.map(addressOf)).toEqual(none.map(() => undefined));
});

test("the number of names is bounded", () => {
  const { addressOf } = givenAddresses();
  const given = Array.from({ length: 5000 }, (_, at) => addressOf(`n${at}.example`));
  expect([given[4095], given[4096], new Set(given).size]).toEqual(["127.64.16.0", undefined, 4097]);
});

test("a question for an address is answered, for another type with nothing, for no name with that", () => {
  const addressOf = (name: string) => (name === "a.example" ? "127.64.0.1" : undefined);
  const asked = question("a.example", 1);
  const head = (code: number, answers: number) => [0x12, 0x34, 0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0];
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 64, 0, 1];
  const rest = [...asked.subarray(12)];
  expect([...(dnsAnswer(asked, addressOf) ?? [])]).toEqual([...head(0, 1), ...rest, ...record]);
  expect([...(dnsAnswer(question("a.example", 28), addressOf) ?? [])].slice(0, 12)).toEqual(head(0, 0));
  expect([...(dnsAnswer(question("b.example", 1), addressOf) ?? [])].slice(0, 12)).toEqual(head(3, 0));
});

test("what is no question is not answered", () => {
  const asked = question("a.example", 1);
  const cuts = Array.from({ length: asked.length }, (_, end) => asked.subarray(0, end));
  const pointer = Buffer.concat([asked.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
  const response = Buffer.from(asked).fill(0x81, 2, 3);
  expect([...cuts, pointer, response].map((query) => dnsAnswer(query, () => "127.64.0.1"))).toEqual(
    [...cuts, pointer, response].map(() => undefined),
  );
});

test("a request's first line names its host, and what is none is refused", () => {
  expect(proxiedLine("GET /a?b HTTP/1.1", "h.example")).toBe("GET http://h.example/a?b HTTP/1.1");
  const others = [
    "GET http://x/ HTTP/1.1",
    "CONNECT x:1 HTTP/1.1",
    "GET / HTTP/1.1\rX: y",
    "GET /a b HTTP/1.1",
    "SSH-2.0",
  ];
  expect(others.map((line) => proxiedLine(line, "h.example"))).toEqual(others.map(() => undefined));
});

test("what follows a head stays in the stream; one that ends or goes on for ever is none", async () => {
  const stream = new PassThrough();
  stream.write("one\r");
  const head = headOf(stream, "\r\n");
  stream.write("\ntwo");
  expect([await head, String(stream.read())]).toEqual(["one", "two"]);
  const ended = new PassThrough();
  ended.end("one");
  const endless = new PassThrough();
  endless.write("x".repeat(20_000));
  const both = await Promise.allSettled([headOf(ended, "\r\n"), headOf(endless, "\r\n")]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
