import * as fs from "node:fs";
import { join } from "node:path";

/** A program for tests: does many things at random to the files of a directory, and prints what came of each and of all. */
const [directory = "", seed = "1", count = "0"] = process.argv.slice(2);

type Random = (below: number) => number;

/** Numbers of a linear congruential generator. */
function randomFrom(start: number): Random {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % below;
  };
}

/** Of few names, so that they meet. Some are not UTF-8. */
const NAMES = ["a", "b", "c", "long name", "ü", Buffer.from([0x78, 0xff]).toString("latin1")];

function pathBelow(random: Random): Buffer {
  const parts = Array.from({ length: 1 + random(3) }, () => NAMES[random(NAMES.length)] ?? "a");
  return Buffer.from(["root", ...parts].join("/"), "latin1");
}

const ACTIONS: readonly ((path: Buffer, other: Buffer, random: Random) => unknown)[] = [
  (path) => fs.mkdirSync(path),
  (path) => fs.mkdirSync(path, 0o2775),
  (path, _other, random) => fs.writeFileSync(path, "x".repeat(random(9000))),
  (path, _other, random) => fs.appendFileSync(path, `${random(1000)}`),
  (path, _other, random) => fs.truncateSync(path, random(20_000)),
  (path, other) => fs.linkSync(path, other),
  (path, other) => fs.symlinkSync(other, path),
  (path, other) => fs.renameSync(path, other),
  (path, other) => fs.renameSync(other, path),
  (path) => fs.unlinkSync(path),
  (path) => fs.rmdirSync(path),
  (path, _other, random) => fs.chmodSync(path, 0o700 + random(0o100)),
  (path, _other, random) => fs.lutimesSync(path, random(2 ** 30), random(2 ** 30)),
  (path) => fs.readlinkSync(path, "latin1"),
  (path) => fs.readFileSync(path, "latin1").length,
  (path) => fs.readdirSync(path, { encoding: "latin1" as never }).toSorted(),
  (path) => shapeOf(fs.lstatSync(path, { bigint: true })),
  (path, other) => useUnnamed(path, other),
  (path, _other, random) => writeWithin(path, random),
];

function act(random: Random): string {
  const number = random(ACTIONS.length);
  const [path, other] = [pathBelow(random), pathBelow(random)];
  try {
    return `${number} ${JSON.stringify(ACTIONS[number]?.(path, other, random) ?? null)}`;
  } catch (thrown) {
    return `${number} ${(thrown as NodeJS.ErrnoException).code}`;
  }
}

/** Goes on with a file that another has taken the name of, or that has none any more. */
function useUnnamed(path: Buffer, other: Buffer): unknown {
  const file = fs.openSync(path, "r+");
  try {
    if (fs.existsSync(other)) fs.renameSync(other, path);
    else fs.unlinkSync(path);
    fs.writeSync(file, "more", 1);
    fs.fchmodSync(file, 0o600);
    fs.futimesSync(file, 5, 6);
    const text = Buffer.alloc(10_000);
    const length = fs.readSync(file, text, 0, text.length, 0);
    return [text.toString("latin1", 0, length), shapeOf(fs.fstatSync(file, { bigint: true }))];
  } finally {
    fs.closeSync(file);
  }
}

function writeWithin(path: Buffer, random: Random): void {
  const file = fs.openSync(path, "r+");
  try {
    fs.writeSync(file, "y".repeat(random(5000)), random(30_000));
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** What is the same wherever a file is. Directories have sizes of their own, and what was not set is a time of the clock. */
function shapeOf(stat: fs.BigIntStats): string {
  const size = stat.isDirectory() ? 0n : stat.size;
  const time = stat.mtimeMs < 2 ** 40 ? stat.mtimeNs : 0n;
  return [stat.mode.toString(8), size, stat.nlink, stat.uid, stat.gid, time].join(" ");
}

function treeOf(path: string): Readonly<Record<string, unknown>> {
  const entries = fs.readdirSync(Buffer.from(path, "latin1"), { encoding: "latin1" as never });
  return Object.fromEntries(
    entries.toSorted().map((name) => {
      const below = join(path, name);
      const at = Buffer.from(below, "latin1");
      const stat = fs.lstatSync(at, { bigint: true });
      return [name, [shapeOf(stat), contentOf(at, below, stat)]];
    }),
  );
}

function contentOf(at: Buffer, path: string, stat: fs.BigIntStats): unknown {
  if (stat.isDirectory()) return treeOf(path);
  if (stat.isSymbolicLink()) return fs.readlinkSync(at, { encoding: "latin1" as never });
  return fs.readFileSync(at).toString("latin1");
}

process.chdir(directory);
fs.mkdirSync("root");
const random = randomFrom(Number(seed));
const results = Array.from({ length: Number(count) }, () => act(random));
process.stdout.write(JSON.stringify({ results, tree: treeOf("root") }));
