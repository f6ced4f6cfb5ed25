import { AppError } from "../errors.ts";

/** The version of everything in this folder. Peers with another one refuse each other with `sandboxd_mismatch`. */
export const SANDBOXD_PROTOCOL = 2;

/** A frame larger than this is a protocol error on either side. 8 MiB. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** Carries the bytes of the call that comes next: base64 in JSON would cost both sides more than all else they do. */
export const BYTES_CHANNEL = 0xffff_ffff;

/**
 * Channel 0 carries JSON messages (`messages.ts`), `BYTES_CHANNEL` bytes of a call; any other carries raw bytes of a
 * stream opened by message.
 */
export type Frame = { readonly channel: number; readonly payload: Uint8Array };

const HEADER_BYTES = 8;

/** A frame on the wire: payload length and channel as unsigned 32-bit big-endian numbers, then the payload. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + frame.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, frame.payload.length);
  view.setUint32(4, frame.channel);
  bytes.set(frame.payload, HEADER_BYTES);
  return bytes;
}

/**
 * A decoder for one connection: takes bytes as they come, cut anywhere, and gives the frames they complete.
 * @throws AppError `sandboxd_protocol` for a frame over the cap; the connection is then of no further use
 */
export function frameDecoder(): (bytes: Uint8Array) => Frame[] {
  let parts: Uint8Array[] = [];
  let held = 0;
  return (bytes) => {
    parts.push(bytes);
    held += bytes.length;
    if (held < HEADER_BYTES || held < HEADER_BYTES + payloadLength(parts)) return [];
    const all = joined(parts, held);
    const frames: Frame[] = [];
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const view = new DataView(all.buffer, all.byteOffset + at);
      const end = at + HEADER_BYTES + checked(view.getUint32(0));
      if (end > all.length) break;
      frames.push({ channel: view.getUint32(4), payload: all.subarray(at + HEADER_BYTES, end) });
      at = end;
    }
    const rest = all.slice(at);
    parts = rest.length > 0 ? [rest] : [];
    held = rest.length;
    return frames;
  };
}

/** The first held frame's payload length; the caller has made sure that a header is there. */
function payloadLength(parts: Uint8Array[]): number {
  const head = parts[0] !== undefined && parts[0].length >= 4 ? parts[0] : joined(parts, HEADER_BYTES);
  return checked(new DataView(head.buffer, head.byteOffset).getUint32(0));
}

function checked(length: number): number {
  if (length <= MAX_FRAME_BYTES) return length;
  throw new AppError("sandboxd_protocol", "A frame is larger than the protocol allows.", { length });
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const all = new Uint8Array(
    Math.max(
      length,
      parts.reduce((sum, part) => sum + part.length, 0),
    ),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
