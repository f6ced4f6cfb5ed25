import { encodeObjectFrame, objectFrames, takenFrames } from "@handrail/protocol/sandboxd/object-frames";
import { zstd } from "../snapshot/objects/zstd.ts";

/** Each object of what a sandbox gave, as a frame of its own. */
export function asKept(taken: Buffer): Buffer {
  const objects = takenFrames()
    .take(taken)
    .flatMap((frame) =>
      frame.kind === "bundle" ? objectFrames().take(zstd.decompress(frame.data, frame.size)) : [frame],
    );
  return Buffer.concat(objects.map((object) => encodeObjectFrame(object)));
}
