import type { Duplex } from "node:stream";

const MOST_BYTES = 16 * 1024;

/**
 * What a stream begins with, up to `end` and without it; what follows stays in the stream, which is paused. Rejects when
 * it ends before, or that is more than 16 kB.
 */
export function headOf(stream: Duplex, end: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let bytes = Buffer.alloc(0);
  const take = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const at = bytes.indexOf(end);
    if (at < 0 && bytes.length <= MOST_BYTES) return;
    leave();
    if (at < 0) return reject(new Error("The head is too long."));
    const rest = bytes.subarray(at + end.length);
    if (rest.length > 0) stream.unshift(rest);
    resolve(bytes.toString("latin1", 0, at));
  };
  const gone = () => {
    leave();
    reject(new Error("The stream has ended."));
  };
  const leave = () => {
    stream.pause();
    stream.off("data", take).off("end", gone).off("close", gone);
  };
  stream.on("data", take).once("end", gone).once("close", gone).resume();
  return promise;
}
