import type { Place } from "./file-calls.ts";
import { CHANGES, ERROR, TYPE } from "./fuse-abi.ts";
import { type Node, placeOf } from "./nodes.ts";
import { answerAddress, answerAttributes, argument, argument64, type Operation, type Served } from "./request.ts";

/** From linux/stat.h. */
const UTIME = { now: 0x3fff_ffff, omit: 0x3fff_fffe } as const;
const MODE_BITS = 0o7777;
const LINK_BYTES = 4096;
/** struct fuse_setattr_in. */
const WISH = { valid: 0, size: 16, accessed: 32, modified: 40, nanoseconds: 56, mode: 68, uid: 76, gid: 80 } as const;

export const readLink: Operation = (served, node) =>
  served.calls.readLink(placeOf(node), answerAddress(served), LINK_BYTES);

export const getAttributes: Operation = (served, node) => {
  const error = served.files.look(node);
  return error < 0 ? error : answerAttributes(served);
};

/** It answers with what came of it. */
export const setAttributes: Operation = (served, node) => {
  const valid = argument(served, WISH.valid);
  const place = placeOf(node);
  for (const [flags, set] of SETTERS) {
    const error = (valid & flags) === 0 ? 0 : set(served, place, { valid, node });
    if (error < 0) return error;
  }
  return getAttributes(served, node);
};

type Setter = (served: Served, place: Place, wish: { readonly valid: number; readonly node: Node }) => number;

const setMode: Setter = (served, place, { node }) =>
  node.type === TYPE.link ? -ERROR.EOPNOTSUPP : served.calls.setMode(place, argument(served, WISH.mode) & MODE_BITS);

/** What stays is -1 (chown(2)). */
const setOwner: Setter = (served, place, { valid }) => {
  const [uid, gid] = [valid & CHANGES.uid, valid & CHANGES.gid];
  return served.calls.setOwner(
    place,
    uid === 0 ? -1 : argument(served, WISH.uid) | 0,
    gid === 0 ? -1 : argument(served, WISH.gid) | 0,
  );
};

const setSize: Setter = (served, place) => served.calls.truncate(place, argument64(served, WISH.size));

const setTimes: Setter = (served, place, { valid }) => {
  const { times } = served.calls;
  const set = (index: 0 | 1, seconds: number, { given, now }: { given: number; now: number }) => {
    const nanoseconds = (valid & now) === 0 ? argument(served, WISH.nanoseconds + index * 4) : UTIME.now;
    times.setUint32(index * 16, argument(served, seconds), true);
    times.setUint32(index * 16 + 4, argument(served, seconds + 4), true);
    times.setUint32(index * 16 + 8, (valid & given) === 0 ? UTIME.omit : nanoseconds, true);
  };
  set(0, WISH.accessed, { given: CHANGES.accessed, now: CHANGES.accessedNow });
  set(1, WISH.modified, { given: CHANGES.modified, now: CHANGES.modifiedNow });
  return served.calls.setTimes(place);
};

/** In the order in which what is set stays: a change of owner takes bits of the mode away, one of the size the times. */
const SETTERS: readonly (readonly [flags: number, set: Setter])[] = [
  [CHANGES.uid | CHANGES.gid, setOwner],
  [CHANGES.mode, setMode],
  [CHANGES.size, setSize],
  [CHANGES.accessed | CHANGES.modified, setTimes],
];
