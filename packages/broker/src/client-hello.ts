import { JoinedBytes } from "./joined-bytes.ts";

/**
 * The name that a TLS client asks for (RFC 6066 3), read from the first bytes it sends. `more`: too few bytes to tell.
 * `other`: it does not speak TLS. A hello that cannot be read has no name.
 */
export type Hello = "more" | "other" | { readonly name: string | undefined };

const MAX_BYTES = 64 * 1024;

/** Never throws. */
export function readHello(bytes: Uint8Array): Hello {
  if (bytes.length === 0) return "more";
  return isHandshake(bytes) ? helloReader()(bytes) : "other";
}

/** Whether what begins so may be a hello. */
export const isHandshake = (bytes: Uint8Array): boolean => bytes[0] === HANDSHAKE;

/**
 * Takes a hello as it comes, cut anywhere, as long as the answer is `more`, and joins the records that a handshake message may
 * be spread over (RFC 8446 5.1). Each byte is looked at once, however small pieces and records are. Never throws.
 */
export function helloReader(): (piece: Uint8Array) => Exclude<Hello, "other"> {
  const records = new Records();
  return (piece) => {
    records.take(piece);
    const message = records.message.all();
    const isWhole = message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3);
    if (isWhole) return { name: message[0] === CLIENT_HELLO ? nameIn(message.subarray(4)) : undefined };
    return records.mayGoOn && records.length < MAX_BYTES ? "more" : { name: undefined };
  };
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const HEADER_BYTES = 5;

/** What records of a handshake hold, as far as they came. */
class Records {
  readonly message = new JoinedBytes();
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** Of the record that has begun. */
  #left = 0;
  length = 0;
  /** Nothing but records of a handshake so far. */
  mayGoOn = true;

  take(piece: Uint8Array): void {
    this.length += piece.length;
    for (let at = 0; at < piece.length && this.mayGoOn;) {
      const rest = piece.subarray(at);
      at += this.#left > 0 ? this.#takeContent(rest) : this.#takeHeader(rest);
    }
  }

  #takeContent(bytes: Uint8Array): number {
    const content = bytes.subarray(0, this.#left);
    this.message.add(content);
    this.#left -= content.length;
    return content.length;
  }

  #takeHeader(bytes: Uint8Array): number {
    const part = bytes.subarray(0, HEADER_BYTES - this.#headerBytes);
    this.#header.set(part, this.#headerBytes);
    this.#headerBytes += part.length;
    this.mayGoOn = isHandshake(this.#header);
    if (this.#headerBytes === HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#left = this.#header.readUInt16BE(3);
    }
    return part.length;
  }
}

/** RFC 8446 4.1.2: version, random, session, cipher suites, compression, extensions. */
function nameIn(hello: Buffer): string | undefined {
  try {
    let at = 34;
    at += 1 + hello.readUInt8(at);
    at += 2 + hello.readUInt16BE(at);
    at += 1 + hello.readUInt8(at);
    const end = at + 2 + hello.readUInt16BE(at);
    for (at += 2; at + 4 <= end;) {
      const type = hello.readUInt16BE(at);
      const length = hello.readUInt16BE(at + 2);
      if (type === 0) return hostName(hello.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
  } catch {
    // Cut short or not what it says it is: there is no name to trust.
  }
  return undefined;
}

/** The first entry of the list, if it is a host name. @throws RangeError when it is cut short */
function hostName(list: Buffer): string | undefined {
  if (list.readUInt8(2) !== 0) return undefined;
  const length = list.readUInt16BE(3);
  return list.length < 5 + length ? undefined : list.toString("latin1", 5, 5 + length);
}
