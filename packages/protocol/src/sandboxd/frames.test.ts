import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, frameDecoder, MAX_FRAME_BYTES, type Frame } from "./frames.ts";

const FRAMES: readonly Frame[] = [
  { channel: 0, payload: Uint8Array.from([1, 2, 3]) },
  { channel: 7, payload: new Uint8Array(0) },
  { channel: 0xffff_ffff, payload: Uint8Array.from([9, 8]) },
];

const joined = (frames: readonly Frame[]) => Uint8Array.from(frames.flatMap((frame) => [...encodeFrame(frame)]));
const plain = (frames: readonly Frame[]) =>
  frames.map(({ channel, payload }) => ({ channel, payload: Array.from(payload) }));

test("frames come back whole when the bytes are cut at any place", () => {
  const bytes = joined(FRAMES);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decode = frameDecoder();
    const frames = [...decode(bytes.subarray(0, cut)), ...decode(bytes.subarray(cut))];
    expect(plain(frames)).toEqual(plain(FRAMES));
  }
});

test("frames come back whole when the bytes come one by one", () => {
  const decode = frameDecoder();
  const frames = Array.from(joined(FRAMES), (byte) => decode(Uint8Array.of(byte))).flat();
  expect(plain(frames)).toEqual(plain(FRAMES));
});

test("any frames come back whole through any cuts", () => {
  const frame = fc.record({ channel: fc.nat(0xffff_ffff), payload: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(400), { maxLength: 10 }), (frames, cuts) => {
      const bytes = joined(frames);
      const decode = frameDecoder();
      const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      let at = 0;
      const got = ends.flatMap((end) => decode(bytes.subarray(at, (at = end))));
      expect(plain(got)).toEqual(plain(frames));
    }),
  );
});

test("a frame over the cap is refused as soon as its length is known", () => {
  const header = encodeFrame({ channel: 1, payload: new Uint8Array(0) });
  new DataView(header.buffer).setUint32(0, MAX_FRAME_BYTES + 1);
  const decode = frameDecoder();
  expect(() => decode(header)).toThrow(expect.objectContaining({ code: "sandboxd_protocol" }));
});

test("a byte costs no more however many of its frame are there already", () => {
  const whole = encodeFrame({ channel: 1, payload: new Uint8Array(MAX_FRAME_BYTES) });
  const decode = frameDecoder();
  const [half, bytes] = [MAX_FRAME_BYTES / 2, 100_000];
  decode(whole.subarray(0, half));
  // Were they copied each time, that would be 400 GB, for which a test has not the time.
  for (let at = half; at < half + bytes; at++) decode(whole.subarray(at, at + 1));
  const [frame] = decode(whole.subarray(half + bytes));
  expect(frame?.payload.length).toBe(MAX_FRAME_BYTES);
});

test("frames stay as they were when more bytes come", () => {
  const decode = frameDecoder();
  const bytes = joined(FRAMES);
  const first = [...decode(bytes.subarray(0, 5)), ...decode(bytes.subarray(5, 12)), ...decode(bytes.subarray(12))];
  decode(joined([{ channel: 1, payload: new Uint8Array(64).fill(255) }]).subarray(0, 40));
  expect(plain(first)).toEqual(plain(FRAMES));
});
