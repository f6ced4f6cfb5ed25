import { Transform } from "node:stream";
import type { Refusal } from "../refusal.ts";

const FREE_BYTES = 64 * 1024 * 1024;
const MAX_TIMES = 100;

/**
 * Breaks an answer off that becomes far more than what came: `before` is put in front of what unpacks it, `after` behind. `broken`
 * says why, once it is.
 */
export function expansionBound() {
  let packed = 0;
  let unpacked = 0;
  let refusal: Refusal | undefined;
  const before = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      packed += chunk.length;
      done(null, chunk);
    },
  });
  const after = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      unpacked += chunk.length;
      if (unpacked <= FREE_BYTES || unpacked <= packed * MAX_TIMES) return done(null, chunk);
      refusal = { code: "answer_unreadable", message: "The answer becomes too large when it is unpacked." };
      return done(new Error(refusal.message));
    },
  });
  return { before, after, broken: () => refusal };
}
