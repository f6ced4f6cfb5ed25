const HEADER_BYTES = 12;
const TYPE_A = 1;
const CLASS_IN = 1;
const TTL_SECONDS = 60;
/** Response, recursion desired and available. Source: RFC 1035 §4.1.1 */
const ANSWERED = 0x8180;
const NO_SUCH_NAME = 3;

type Question = { readonly name: string; readonly type: number; readonly end: number };

/**
 * The answer to a DNS query of one question: the address that `addressOf` gives the name, none of other types, and no
 * such name where it gives none. Undefined for what is no such query. Source: RFC 1035 §4
 */
export function dnsAnswer(query: Buffer, addressOf: (name: string) => string | undefined): Buffer | undefined {
  const question = readQuestion(query);
  if (question === undefined) return undefined;
  const address = addressOf(question.name);
  const asked = address !== undefined && question.type === TYPE_A ? address : undefined;
  const head = Buffer.from(query.subarray(0, HEADER_BYTES));
  head.writeUInt16BE(ANSWERED | (address === undefined ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(asked === undefined ? 0 : 1, 6);
  head.writeUInt32BE(0, 8);
  const parts = [head, query.subarray(HEADER_BYTES, question.end)];
  return Buffer.concat(asked === undefined ? parts : [...parts, record(asked)]);
}

/** Undefined also for compressed names, which questions do not have. */
function readQuestion(query: Buffer): Question | undefined {
  if (query.length < HEADER_BYTES + 5 || (query.readUInt16BE(2) & 0xf800) !== 0 || query.readUInt16BE(4) !== 1) {
    return undefined;
  }
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]; length !== 0; length = query[at]) {
    if (length === undefined || length > 63) return undefined;
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  if (query.length < end || query.readUInt16BE(at + 3) !== CLASS_IN) return undefined;
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end };
}

function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  // The name is that of the question, which starts after the header.
  bytes.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(CLASS_IN, 4);
  bytes.writeUInt32BE(TTL_SECONDS, 6);
  bytes.writeUInt16BE(4, 10);
  address.split(".").forEach((part, index) => bytes.writeUInt8(Number(part), 12 + index));
  return bytes;
}
