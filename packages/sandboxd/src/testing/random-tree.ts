import {
  chmodSync,
  lstatSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";

/** Numbers below a bound, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const NAMES = ["a", "b", "c d", "ünï", "x\\y", "new\nline", ".git", "-rf", "\xff\xfe"];
const bytes = (path: string) => Buffer.from(path, "latin1");

/** Makes, changes, moves and removes files, directories, links of both kinds and pipes below a directory. */
export function randomEdits(root: string, random: (below: number) => number, count: number): void {
  for (let edit = 0; edit < count; edit++) {
    const places = [root, ...below(root).filter(isDirectory)];
    const directory = places[random(places.length)] ?? root;
    const path = `${directory}/${bytes(NAMES[random(NAMES.length)] ?? "a").toString("latin1")}${random(4)}`;
    try {
      (EDITS[random(EDITS.length)] ?? write)({ root, path, random });
    } catch {
      // Something else is there; another edit will do.
    }
  }
}

type Edit = { readonly root: string; readonly path: string; readonly random: (below: number) => number };

function write({ path, random }: Edit): void {
  // Through a link, or into a pipe, it would go elsewhere or wait for ever.
  if (lstatSync(bytes(path), { throwIfNoEntry: false })?.isFile() === false) return;
  writeFileSync(bytes(path), "x".repeat(random(3) === 0 ? 0 : random(5000)) + String(random(1000)));
  chmodSync(bytes(path), [0o644, 0o755, 0o600, 0o444, 0o4711][random(5)] ?? 0o644);
}

const pick = ({ root, random }: Edit) => {
  const all = below(root);
  return all[random(all.length)] ?? root;
};

/** No pipe: Node can make them only where their names are text. */
const pickPlain = (edit: Edit) => {
  const path = pick(edit);
  return lstatSync(bytes(path)).isFIFO() ? edit.root : path;
};

function remove(edit: Edit): void {
  const path = pick(edit);
  if (path !== edit.root) rmSync(bytes(path), { recursive: true });
}

/** Never through a link, which leads to files of the machine. */
function changeMode(edit: Edit): void {
  const path = pick(edit);
  if (!lstatSync(bytes(path)).isSymbolicLink()) chmodSync(bytes(path), 0o700 + edit.random(64));
}

const EDITS: readonly ((edit: Edit) => void)[] = [
  write,
  write,
  write,
  ({ path }) => mkdirSync(bytes(path)),
  ({ path }) => mkdirSync(bytes(path)),
  ({ path, random }) => symlinkSync(["a0", "/etc/passwd", "../..", "nowhere"][random(4)] ?? "a0", bytes(path)),
  (edit) => linkSync(bytes(pickPlain(edit)), bytes(edit.path)),
  (edit) => renameSync(bytes(pickPlain(edit)), bytes(edit.path)),
  remove,
  ({ root, random }) => void execFileSync("mkfifo", ["--", `${root}/pipe${random(3)}`], { stdio: "ignore" }),
  changeMode,
];

/**
 * Sets all times below a directory to such as a double holds exactly: Node cannot set others. They are whole numbers of
 * a second's `fractions`.
 */
export function setPlainTimes(root: string, random: (below: number) => number, fractions = 512): void {
  for (const path of [root, ...below(root)].toReversed()) {
    const seconds = 1_000_000_000 + random(700_000_000) + random(fractions) / fractions;
    lutimesSync(bytes(path), seconds, seconds);
  }
}

/** Everything that a restore has to bring back, a line for each name: type, mode, time, links and content. */
export function describeTree(root: string): string[] {
  const twins = new Map<bigint, string>();
  return [root, ...below(root)].map((path) => {
    const stat = lstatSync(bytes(path), { bigint: true });
    const first = stat.isDirectory() ? path : (twins.get(stat.ino) ?? path);
    if (!stat.isDirectory()) twins.set(stat.ino, first);
    const content = stat.isFile()
      ? createHash("sha256")
          .update(readFileSync(bytes(path)))
          .digest("hex")
          .slice(0, 12)
      : stat.isSymbolicLink()
        ? readlinkSync(bytes(path), { encoding: "buffer" }).toString("hex")
        : "";
    const parts = [path.slice(root.length), stat.mode.toString(8), stat.mtimeNs, first.slice(root.length), content];
    return JSON.stringify(parts.map(String));
  });
}

const isDirectory = (path: string) => lstatSync(bytes(path)).isDirectory();

function below(path: string): string[] {
  return readdirSync(bytes(path), { encoding: "latin1" })
    .sort()
    .flatMap((name) => {
      const full = `${path}/${name}`;
      return isDirectory(full) ? [full, ...below(full)] : [full];
    });
}
