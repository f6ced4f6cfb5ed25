/** One change of a ref that a push asks for (gitprotocol-pack, "Reference Update Request"). */
export type RefUpdate = { readonly ref: string; readonly deletes: boolean };

/** The commands at the head of a push, and what the client understands. */
export type PushCommands = { readonly updates: readonly RefUpdate[]; readonly capabilities: readonly string[] };

/** `more`: the bytes so far do not hold all commands. `invalid`: they are none that can be checked. */
export type ParsedPush = PushCommands | "more" | "invalid";

const COMMAND = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/[^\0\n ]+)$/;
const SHALLOW = /^shallow (?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Longer than any that git servers take. */
const MAX_REF_BYTES = 4096;

/**
 * Reads the list of commands of a `git-receive-pack` request, piece by piece, as long as it answers `more`. Signed pushes hide
 * theirs and are not read.
 */
export function pushReader(): (piece: Buffer) => ParsedPush {
  const updates: RefUpdate[] = [];
  let capabilities: readonly string[] = [];
  let left = Buffer.alloc(0);
  return (piece) => {
    left = Buffer.concat([left, piece]);
    for (;;) {
      const packet = firstPacket(left);
      if (typeof packet === "string") return packet;
      if (packet.length === 0) return { updates, capabilities };
      const line = parseLine(packet);
      if (line === undefined || (line.update?.ref.length ?? 0) > MAX_REF_BYTES) return "invalid";
      if (line.capabilities !== undefined) ({ capabilities } = line);
      if (line.update !== undefined) updates.push(line.update);
      left = left.subarray(packet.length + 4);
    }
  };
}

type Line = { readonly update?: RefUpdate; readonly capabilities?: readonly string[] };

function parseLine(packet: Buffer): Line | undefined {
  const [text = "", listed] = packet.toString("utf8").replace(/\n$/, "").split("\0");
  const [, , to = "", ref = ""] = COMMAND.exec(text) ?? [];
  if (ref === "" && !SHALLOW.test(text)) return undefined;
  return {
    ...(ref !== "" && { update: { ref, deletes: /^0+$/.test(to) } }),
    ...(listed !== undefined && { capabilities: listed.trim().split(" ") }),
  };
}

/** The content of the first packet (gitprotocol-common, "pkt-line"); empty for the flush packet. */
function firstPacket(bytes: Buffer): Buffer | "more" | "invalid" {
  const head = bytes.toString("latin1", 0, 4);
  if (!/^[0-9a-f]*$/i.test(head)) return "invalid";
  if (head.length < 4) return "more";
  const length = Number.parseInt(head, 16);
  if (length === 0) return Buffer.alloc(0);
  if (length <= 4) return "invalid";
  return bytes.length < length ? "more" : bytes.subarray(4, length);
}

/**
 * The answer to a push that is not carried out, as git shows it: each ref `remote rejected`, with the sentence. Undefined
 * where the client cannot be told so.
 */
export function pushRejection({ updates, capabilities }: PushCommands, sentence: string): Buffer | undefined {
  if (!capabilities.some((name) => name === "report-status" || name === "report-status-v2")) return undefined;
  const status = Buffer.concat([
    packet("unpack ok\n"),
    ...updates.map(({ ref }) => packet(`ng ${ref} ${sentence}\n`)),
    FLUSH,
  ]);
  if (!capabilities.includes("side-band-64k")) return status;
  return Buffer.concat([packet(`\u0002Handrail: ${sentence}\n`), banded(status), FLUSH]);
}

const FLUSH = Buffer.from("0000");
const MOST = 65_000;

function banded(bytes: Buffer): Buffer {
  const count = Math.ceil(bytes.length / MOST);
  const pieces = Array.from({ length: count }, (_, index) => bytes.subarray(index * MOST, (index + 1) * MOST));
  return Buffer.concat(pieces.map((piece) => packet(Buffer.concat([Buffer.from([1]), piece]))));
}

function packet(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}
