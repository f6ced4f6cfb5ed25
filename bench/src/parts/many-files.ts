import * as fs from "node:fs";
import { join } from "node:path";

/**
 * A program: makes 20,000 files of 3 kB in a directory, looks at them, reads them, and writes one of 400 MB. Prints how
 * long each took, in milliseconds.
 */
const [directory = ""] = process.argv.slice(2);
const DIRECTORIES = 200;
const FILES = 100;
const CONTENT = Buffer.alloc(3000, "x");
const PART = Buffer.alloc(1024 ** 2, "y");
const PARTS = 400;

function timed(work: () => void): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

const root = join(directory, "tree");
const parents = Array.from({ length: DIRECTORIES }, (_, at) => join(root, String(at)));
const each = (act: (path: string) => void) => () => {
  for (const parent of parents) for (const name of fs.readdirSync(parent)) act(join(parent, name));
};

fs.mkdirSync(root);
const make = timed(() => {
  for (const parent of parents) {
    fs.mkdirSync(parent);
    for (let at = 0; at < FILES; at++) fs.writeFileSync(join(parent, String(at)), CONTENT);
  }
});
const look = timed(each((path) => void fs.lstatSync(path)));
const read = timed(each((path) => void fs.readFileSync(path)));
const write = timed(() => {
  const file = fs.openSync(join(root, "large"), "w");
  for (let at = 0; at < PARTS; at++) fs.writeSync(file, PART);
  fs.fsyncSync(file);
  fs.closeSync(file);
});
process.stdout.write(JSON.stringify({ make, look, read, write }));
