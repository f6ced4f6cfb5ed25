import { createSocket } from "node:dgram";
import { once } from "node:events";

/** What a name server says of a name: addresses in text form, or that there is no such name. Undefined: nothing, ever. */
export type Zone = (name: string, kind: "A" | "AAAA") => readonly string[] | "no such name" | undefined;

/** A name server on loopback. What it was asked is in `asked`, as `A name`. */
export type NameServer = {
  /** `address:port`. */
  readonly at: string;
  readonly asked: readonly string[];
  readonly close: () => void;
};

const KINDS = { 1: "A", 28: "AAAA" } as const;
const HEADER_BYTES = 12;
/** RFC 1035 4.1.1: an answer, recursion available; the code for a name that is not there is 3. */
const ANSWER = 0x8180;
const NO_SUCH_NAME = 3;
/** RFC 1035 4.1.4: the name of the question. */
const SAME_NAME = 0xc000 | HEADER_BYTES;

/** Answers over UDP as RFC 1035 has it. It takes only one question at a time, without compression. */
export async function startNameServer(zone: Zone, { port = 0 } = {}): Promise<NameServer> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (message, from) => {
    const { name, end } = readName(message);
    const kind = KINDS[message.readUInt16BE(end) as keyof typeof KINDS];
    asked.push(`${kind} ${name}`);
    const known = zone(name, kind);
    if (known !== undefined) socket.send(answer(message.subarray(0, end + 4), known), from.port, from.address);
  });
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  const { port: own } = socket.address();
  return { at: `127.0.0.1:${own}`, asked, close: () => void socket.close() };
}

function readName(message: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

/** To a question with its header. */
function answer(question: Buffer, known: readonly string[] | "no such name"): Buffer {
  const addresses = known === "no such name" ? [] : known;
  const head = Buffer.from(question);
  head.writeUInt16BE(known === "no such name" ? ANSWER | NO_SUCH_NAME : ANSWER, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...addresses.map(record)]);
}

function record(address: string): Buffer {
  const bytes = address.includes(":") ? fullIPv6(address) : Buffer.from(address.split(".").map(Number));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(SAME_NAME, 0);
  head.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}

function fullIPv6(address: string): Buffer {
  const [before = "", after = ""] = address.split("::");
  const groups = (text: string) => text.split(":").filter(Boolean);
  const [first, last] = [groups(before), groups(after)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  return Buffer.from([...first, ...zeros, ...last].map((group) => group.padStart(4, "0")).join(""), "hex");
}
