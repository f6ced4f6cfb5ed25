import { AppError } from "../errors.ts";

/** The version of everything in this folder. Peers with another one refuse each other with `sandboxd_mismatch`. */
export const SANDBOXD_PROTOCOL = 2;

/** A frame larger than this is a protocol error on either side. 8 MiB. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** Carries the bytes of the call that comes next: base64 in JSON would cost both sides more than all else they do. */
export const BYTES_CHANNEL = 0xffff_ffff;

/** A side may have this many bytes of one channel under way; `channel.credit` says that the other read some. */
export const CHANNEL_WINDOW_BYTES = 1024 * 1024;

/**
 * Channel 0 carries JSON messages (`to-sandboxd.ts`, `from-sandboxd.ts`), `BYTES_CHANNEL` bytes of a call; any other carries raw bytes of a
 * stream opened by message.
 */
export type Frame = { readonly channel: number; readonly payload: Uint8Array };

const HEADER_BYTES = 8;
const LENGTH_BYTES = 4;

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
  /** The beginning of a frame is in its first `held` bytes. Frames that were given keep it: then the next one has another. */
  let store = NOTHING;
  let held = 0;
  return (bytes) => {
    let all = bytes;
    if (held > 0) {
      store = withRoom(store, held, bytes.length);
      store.set(bytes, held);
      all = store.subarray(0, held + bytes.length);
    }
    const { frames, end } = wholeFrames(all);
    if (frames.length === 0 && held > 0) held = all.length;
    else {
      const rest = all.subarray(end);
      held = rest.length;
      store = held > 0 ? withRoom(rest, held, 1) : NOTHING;
    }
    return frames;
  };
}

const NOTHING: Uint8Array = new Uint8Array();
/** What may come behind the end of a frame in one piece, as sockets are read. */
const BEHIND_BYTES = 64 * 1024;

function wholeFrames(all: Uint8Array): { readonly frames: Frame[]; readonly end: number } {
  const view = new DataView(all.buffer, all.byteOffset, all.length);
  const frames: Frame[] = [];
  let at = 0;
  while (all.length - at >= LENGTH_BYTES) {
    const end = at + HEADER_BYTES + checked(view.getUint32(at));
    if (end > all.length) break;
    frames.push({ channel: view.getUint32(at + LENGTH_BYTES), payload: all.subarray(at + HEADER_BYTES, end) });
    at = end;
  }
  return { frames, end: at };
}

/** Room for so many bytes more, in a store of its own; at once for the whole frame where its length is there. */
function withRoom(store: Uint8Array, held: number, more: number): Uint8Array {
  if (store.length >= held + more) return store;
  const wanted = held < LENGTH_BYTES ? 0 : HEADER_BYTES + new DataView(store.buffer, store.byteOffset).getUint32(0);
  const larger = new Uint8Array(Math.max(held + more, 2 * held, wanted + BEHIND_BYTES));
  larger.set(store.subarray(0, held));
  return larger;
}

function checked(length: number): number {
  if (length <= MAX_FRAME_BYTES) return length;
  throw new AppError("sandboxd_protocol", "A frame is larger than the protocol allows.", { length });
}
