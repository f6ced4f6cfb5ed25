import type { Duplex } from "node:stream";
import { parseTarget, type Target } from "./host.ts";
import type { Refusal, RefusalCode } from "./refusal.ts";

/** What a client asked for in SOCKS5, or why it gets nothing. `head` is what it sent behind it. */
export type SocksRequest = { readonly host: string; readonly target: Target | Refusal; readonly head: Uint8Array };

/** The first byte of every SOCKS5 connection. */
export const SOCKS_VERSION = 5;

/**
 * Takes the greeting and the request of a SOCKS5 client (RFC 1928 3 to 5). Only CONNECT without authentication is
 * served. Undefined: the client went, or speaks something else; it was answered where there is an answer.
 */
export async function readSocks(stream: Duplex): Promise<SocksRequest | undefined> {
  const bytes = byteReader(stream);
  try {
    const [, methods = 0] = await bytes.take(2);
    if (!(await bytes.take(methods)).includes(NO_AUTHENTICATION)) {
      stream.end(Uint8Array.of(SOCKS_VERSION, 0xff));
      return undefined;
    }
    stream.write(Uint8Array.of(SOCKS_VERSION, NO_AUTHENTICATION));
    const [version, command, , kind = 0] = await bytes.take(4);
    if (version !== SOCKS_VERSION) return undefined;
    const host = await hostOf(bytes, kind);
    if (host === undefined) return { host: "", target: UNKNOWN_KIND, head: bytes.rest() };
    const port = (await bytes.take(2)).readUInt16BE(0);
    const target = command === CONNECT ? (parseTarget(`${host}:${port}`) ?? NO_HOST) : ONLY_CONNECT;
    return { host, target, head: bytes.rest() };
  } catch {
    return undefined;
  } finally {
    bytes.rest();
  }
}

/** The reply to a request (RFC 1928 6): that the connection is made, or why it is not. */
export function socksReply(refusal?: Refusal): Uint8Array {
  return Uint8Array.of(SOCKS_VERSION, refusal === undefined ? 0 : replyCode(refusal.code), 0, IPV4, 0, 0, 0, 0, 0, 0);
}

const NO_AUTHENTICATION = 0;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

const NO_HOST: Refusal = { code: "host_invalid", message: "The request names no valid host and port." };
const ONLY_CONNECT: Refusal = { code: "command_unsupported", message: "Only CONNECT is served." };
const UNKNOWN_KIND: Refusal = { code: "host_invalid", message: "The kind of address is unknown." };

const REPLIES: { readonly [Code in RefusalCode]?: number } = {
  name_unresolved: 4,
  unreachable: 5,
  timed_out: 6,
  command_unsupported: 7,
};
/** "Connection not allowed by ruleset". */
const NOT_ALLOWED = 2;

const replyCode = (code: RefusalCode) => REPLIES[code] ?? NOT_ALLOWED;

async function hostOf(bytes: ByteReader, kind: number): Promise<string | undefined> {
  if (kind === IPV4) return (await bytes.take(4)).join(".");
  if (kind === NAME) return (await bytes.take((await bytes.take(1)).readUInt8(0))).toString("latin1");
  if (kind !== IPV6) return undefined;
  const address = await bytes.take(16);
  const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16));
  return `[${groups.join(":")}]`;
}

type ByteReader = {
  /** The next bytes, this many. Rejects when the stream ends before. */
  take(count: number): Promise<Buffer>;
  /** What came and was not taken; nothing is read from here on. */
  rest(): Buffer;
};

function byteReader(stream: Duplex): ByteReader {
  let held = Buffer.alloc(0);
  let waiting: (() => void) | undefined;
  const add = (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    waiting?.();
  };
  const over = () => waiting?.();
  stream.on("data", add).once("end", over).once("close", over);
  return {
    async take(count) {
      while (held.length < count) {
        if (stream.destroyed || stream.readableEnded) throw new Error("The client has gone.");
        const more = Promise.withResolvers<void>();
        waiting = more.resolve;
        await more.promise;
      }
      const taken = held.subarray(0, count);
      held = held.subarray(count);
      return taken;
    },
    rest() {
      stream.pause();
      stream.off("data", add).off("end", over).off("close", over);
      return held;
    },
  };
}
