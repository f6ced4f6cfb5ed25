/**
 * The name that a TLS client asks for (RFC 6066 3), read from the first bytes it sends. `more`: too few bytes to tell.
 * `other`: it does not speak TLS. A hello that cannot be read has no name.
 */
export type Hello = "more" | "other" | { readonly name: string | undefined };

const MAX_BYTES = 64 * 1024;

/** Joins the records that a handshake message may be spread over (RFC 8446 5.1). Never throws. */
export function readHello(bytes: Uint8Array): Hello {
  if (bytes.length === 0) return "more";
  if (bytes[0] !== HANDSHAKE) return "other";
  const { message, mayGoOn } = handshake(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const whole = message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3);
  if (whole) return { name: message[0] === CLIENT_HELLO ? nameIn(message.subarray(4)) : undefined };
  return mayGoOn && bytes.length < MAX_BYTES ? "more" : { name: undefined };
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

/** What the records hold, as far as they came. `mayGoOn`: nothing but records of a handshake so far. */
function handshake(view: Buffer): { readonly message: Buffer; readonly mayGoOn: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 5 <= view.length && view[at] === HANDSHAKE) {
    const end = at + 5 + view.readUInt16BE(at + 3);
    parts.push(view.subarray(at + 5, end));
    at = end;
  }
  return { message: Buffer.concat(parts), mayGoOn: at >= view.length || view[at] === HANDSHAKE };
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
