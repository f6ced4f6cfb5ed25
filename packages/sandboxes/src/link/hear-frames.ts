import type { Duplex } from "node:stream";
import { type Frame, frameDecoder } from "@handrail/protocol/sandboxd/frames";

/** Who hears the frames of a stream. */
export type FrameHearer = {
  /** @throws what makes the stream of no further use: it is destroyed */
  readonly onFrame: (frame: Frame) => void;
  /** Nothing is heard while this is so; call `goOn` when it no longer is. */
  readonly isBusy: () => boolean;
};

/** After so long everybody else has a turn before the next frame is heard. */
const TURN_MS = 10;

/**
 * Hands on the frames that come by a stream. However many come at once, and whatever each costs, the process has time for
 * others in between: the stream is read no further meanwhile.
 */
export function hearFrames(stream: Duplex, { onFrame, isBusy }: FrameHearer): { readonly goOn: () => void } {
  const decode = frameDecoder();
  let frames: readonly Frame[] = [];
  let next = 0;
  let isDue = false;
  const hear = () => {
    const until = performance.now() + TURN_MS;
    for (; next < frames.length && !stream.destroyed; next++) {
      if (isBusy()) return stream.pause();
      if (performance.now() > until) return later();
      const frame = frames[next];
      if (frame !== undefined) onFrame(frame);
    }
    frames = [];
    next = 0;
    return stream.resume();
  };
  const later = () => {
    stream.pause();
    if (!isDue) setImmediate(goOn);
    isDue = true;
    return stream;
  };
  const orDestroy = (work: () => void) => {
    try {
      work();
    } catch {
      stream.destroy();
    }
  };
  const goOn = () => {
    isDue = false;
    orDestroy(hear);
  };
  stream.on("data", (bytes: Buffer) =>
    orDestroy(() => {
      frames = [...frames.slice(next), ...decode(bytes)];
      next = 0;
      hear();
    }),
  );
  return { goOn };
}
