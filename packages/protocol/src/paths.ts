/**
 * A path as text, reversibly: bytes that are not UTF-8, control characters and the backslash become `\xNN`.
 * Linux paths are bytes; JSON strings are not, and a name must survive the way through JSON untouched.
 */
export function pathText(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] ?? 0);
    try {
      text += Array.from(decoder.decode(bytes.subarray(at, at + length)), visible).join("");
      at += length;
    } catch {
      text += escaped(bytes[at] ?? 0);
      at += 1;
    }
  }
  return text;
}

/** The bytes that `pathText` wrote as this text. */
export function pathBytes(text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const piece of text.split(/(\\x[0-9a-f]{2})/)) {
    if (/^\\x[0-9a-f]{2}$/.test(piece)) bytes.push(Number.parseInt(piece.slice(2), 16));
    else bytes.push(...encoder.encode(piece));
  }
  return Uint8Array.from(bytes);
}

const escaped = (byte: number) => `\\x${byte.toString(16).padStart(2, "0")}`;

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 || code === 0x7f || character === "\\" ? escaped(code) : character;
}

/** Length of the UTF-8 sequence that starts with this byte (RFC 3629 §3); 1 for bytes that start none. */
function sequenceLength(byte: number): number {
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}
