import { STAT } from "./file-calls.ts";
import { statKey } from "./files.ts";
import { ANSWER, ENTRY, ERROR, FOR_EVER, HEADER } from "./fuse-abi.ts";
import { dropName, giveName, type Name, type Node, pathIn, pathOf } from "./nodes.ts";
import { setNumber64 } from "./number64.ts";
import {
  answerEntry,
  argument,
  argument64,
  clearAnswer,
  type Operation,
  type Served,
  textArgument,
} from "./request.ts";

/** From linux/fs.h. What leaves a device behind is not for a plain directory. */
const RENAME = { exchange: 2, known: 3 } as const;
const SET_GROUP_ID = 0o2000;
const OWN = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

export const lookup: Operation = (served, node) => {
  const name = textArgument(served, 0);
  const error = served.calls.look(pathIn(node, name));
  if (error === -ERROR.ENOENT) return answerNothing(served);
  return error < 0 ? error : answerEntry(served, served.files.enter(node, name, false));
};

/** That there is no such file, which the kernel remembers. */
function answerNothing(served: Served): number {
  clearAnswer(served, ENTRY.size);
  setNumber64(served.output.view, ANSWER.size + ENTRY.nodeSeconds, FOR_EVER);
  return ENTRY.size;
}

/** struct fuse_mknod_in: mode, device. */
export const makeNode: Operation = (served, node) =>
  make(served, { parent: node, name: textArgument(served, 16) }, (path) =>
    served.calls.makeNode(path, argument(served, 0), argument(served, 4)),
  );

export const makeDirectory: Operation = (served, node) =>
  make(served, { parent: node, name: textArgument(served, 8) }, (path) =>
    served.calls.makeDirectory(path, argument(served, 0)),
  );

export const makeLink: Operation = (served, node) => {
  const name = textArgument(served, 0);
  const target = textArgument(served, name.length + 1);
  return make(served, { parent: node, name }, (path) => served.calls.symlink(target, path));
};

function make(served: Served, { parent, name }: Name, create: (path: string) => number): number {
  const { calls, files } = served;
  if (!files.hasRoomForName()) return -ERROR.ENOSPC;
  const path = pathIn(parent, name);
  const error = create(path);
  if (error < 0) return error;
  files.addName(parent);
  const given = giveToCaller(served, parent, path);
  if (given < 0) return given;
  const looked = calls.look(path);
  return looked < 0 ? looked : answerEntry(served, files.enter(parent, name, true));
}

/** A directory may say that what is made in it has its group. */
function giveToCaller({ calls, input }: Served, parent: Node, path: string): number {
  const [uid, gid] = [input.view.getUint32(HEADER.uid, true), input.view.getUint32(HEADER.gid, true)];
  if (uid === OWN.uid && gid === OWN.gid) return 0;
  const error = calls.look(pathOf(parent));
  if (error < 0) return error;
  const hasGroup = (calls.stat.getUint16(STAT.mode, true) & SET_GROUP_ID) !== 0;
  return calls.setOwner(path, uid, hasGroup ? -1 : gid);
}

/** One more name of a file. */
export const link: Operation = (served, node) => {
  const { calls, files } = served;
  const old = files.nodes.byId(argument64(served, 0));
  const name = textArgument(served, 8);
  if (old === undefined || old.held) return -ERROR.ENOENT;
  if (!files.hasRoomForName()) return -ERROR.ENOSPC;
  const path = pathIn(node, name);
  const error = calls.link(pathOf(old), path);
  if (error < 0) return error;
  files.addName(node);
  const looked = calls.look(path);
  return looked < 0 ? looked : answerEntry(served, files.enter(node, name, false));
};

export const removeFile: Operation = (served, node) =>
  remove(served, { parent: node, name: textArgument(served, 0) }, (path) => served.calls.removeFile(path));

export const removeDirectory: Operation = (served, node) =>
  remove(served, { parent: node, name: textArgument(served, 0) }, (path) => served.calls.removeDirectory(path));

function remove({ files }: Served, { parent, name }: Name, call: (path: string) => number): number {
  const gone = files.removing(parent, name);
  if (typeof gone === "number") return gone;
  const error = call(pathIn(parent, name));
  if (error < 0) return error;
  gone();
  return 0;
}

/** struct fuse_rename_in: the new directory. */
export const rename: Operation = (served, node) => move(served, node, { namesAt: 8, flags: 0 });
/** struct fuse_rename2_in: the new directory, flags. */
export const renameWith: Operation = (served, node) => move(served, node, { namesAt: 16, flags: argument(served, 8) });

function move(served: Served, from: Node, { namesAt, flags }: { namesAt: number; flags: number }): number {
  const parent = served.files.nodes.byId(argument64(served, 0));
  if (parent === undefined || parent.held) return -ERROR.ENOENT;
  if ((flags & ~RENAME.known) !== 0) return -ERROR.EINVAL;
  const old = { parent: from, name: textArgument(served, namesAt) };
  const name = { parent, name: textArgument(served, namesAt + old.name.length + 1) };
  return flags === RENAME.exchange ? exchange(served, old, name) : replace(served, { old, name, flags });
}

function exchange(served: Served, old: Name, name: Name): number {
  const [moved, other] = [knownAt(served, old), knownAt(served, name)];
  const error = served.calls.rename(inFull(old), inFull(name), RENAME.exchange);
  if (error < 0) return error;
  renamed(moved, old, name);
  renamed(other, name, old);
  return 0;
}

/** What has the new name already loses it. */
function replace(served: Served, { old, name, flags }: { old: Name; name: Name; flags: number }): number {
  const { calls, files } = served;
  const moved = knownAt(served, old);
  const isSame = moved !== undefined && moved === knownAt(served, name);
  const gone = isSame ? -ERROR.ENOENT : files.removing(name.parent, name.name);
  if (typeof gone === "number" && gone !== -ERROR.ENOENT) return gone;
  const error = calls.rename(inFull(old), inFull(name), flags);
  // Two names of one file both stay (rename(2)).
  if (error < 0 || isSame) return error;
  if (typeof gone === "function") gone();
  renamed(moved, old, name);
  files.unsettle(name.parent);
  return 0;
}

const inFull = ({ parent, name }: Name) => pathIn(parent, name);

function renamed(node: Node | undefined, old: Name, name: Name): void {
  if (node === undefined) return;
  dropName(node, old);
  giveName(node, name);
}

function knownAt({ calls, files }: Served, name: Name): Node | undefined {
  return calls.look(inFull(name)) < 0 ? undefined : files.nodes.byKey(statKey(calls.stat));
}
