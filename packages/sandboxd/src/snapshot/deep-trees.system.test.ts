import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const BUN = join(dirname(createRequire(import.meta.url).resolve("bun/package.json")), "bin", "bun.exe");

const LEVELS = 3000;
/** Far fewer than the profile strict lets a process have open. */
const OPEN_FILES = 300;

/** Makes directories below each other, each with a file, deeper than a path can say; then keeps, removes and restores. */
const SCRIPT = `
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { asKept } from ${JSON.stringify(join(import.meta.dirname, "../testing/as-kept.ts"))};
import { snapshotOperations } from ${JSON.stringify(join(import.meta.dirname, "snapshot-operations.ts"))};

const RULES = { maxFileBytes: 1000, maxTotalBytes: 10_000_000 };
const [workspace, state] = process.argv.slice(2);
const operations = snapshotOperations({ workspace }, state);
const ask = (name, args) => operations["snapshot." + name](args, { id: "k", signal: new AbortController().signal, feed: () => {} });

async function take() {
  const taken = await ask("take", { base: null, ...RULES });
  const parts = [];
  for (let offset = 0; offset < taken.packBytes; offset += parts.at(-1).length) {
    const { data } = await ask("read", { root: taken.root, offset, length: 1_000_000 });
    parts.push(Buffer.from(data, "base64"));
  }
  await ask("keep", { root: taken.root });
  return { ...taken, frames: asKept(Buffer.concat(parts)) };
}

async function restore({ root, frames }) {
  for (let offset = 0; offset < frames.length; ) {
    ({ size: offset } = await ask("put", { offset, data: frames.subarray(offset, offset + 1_000_000) }));
  }
  const { written, removed, failed } = await ask("restore", { root, ...RULES });
  return { written, removed, failed };
}

function chain(top) {
  let path = top;
  for (let level = 0; level < ${LEVELS / 2}; level += 1) {
    path += "/d";
    mkdirSync(path, { recursive: true });
    writeFileSync(path + "/file", String(level));
  }
  return path;
}

const empty = await take();
// Two halves, each of paths that the kernel takes.
const bottom = chain(workspace);
chain(state + "/half");
renameSync(state + "/half/d", bottom + "/d");
const deep = await take();
renameSync(workspace + "/d", state + "/gone");
const restored = await restore(deep);
const again = await take();
const emptied = await restore(empty);
const twice = await restore(again);
const { root } = await take();
const { files, leftOut } = deep;
console.log(JSON.stringify({
  files,
  leftOut: [...new Set(leftOut.map(({ reason, path }) => reason + (path.length > 4000 ? ", long" : "")))],
  restored,
  emptied,
  twice,
  same: root === again.root,
}));
`;

test("directories as deep as paths can be are kept, restored, removed and restored, with few files open", () => {
  const directory = mkdtempSync(join(tmpdir(), "handrail-deep-"));
  onTestFinished(() => void execFileSync("rm", ["-rf", directory]));
  const [workspace, state, script] = ["w", "s", "deep.ts"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(workspace);
  mkdirSync(state);
  writeFileSync(script, SCRIPT);
  const limited = ["-c", `ulimit -n ${OPEN_FILES}; exec "$@"`, "sh", BUN, script, workspace, state];
  const told = JSON.parse(execFileSync("sh", limited, { encoding: "utf8" })) as { readonly files: number };
  const { files } = told;
  // The kernel takes paths of 4,095 bytes.
  expect(files).toBeGreaterThan(1900);
  expect(told).toEqual({
    files,
    leftOut: ["unreadable, long"],
    restored: { written: files, removed: 0, failed: [] },
    emptied: { written: 0, removed: files, failed: [] },
    twice: { written: files, removed: 0, failed: [] },
    same: true,
  });
  expect(readdirSync(workspace)).toEqual(["d"]);
});
