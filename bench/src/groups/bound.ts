import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { withServedFiles } from "@handrail/sandboxes/process/served-files";
import { withDirectory } from "../parts/free-directory.ts";
import { runProgram } from "../parts/run-program.ts";
import type { Group, Row } from "../row.ts";
import { median, repeat } from "../samples.ts";

const PROGRAM = join(import.meta.dirname, "../parts/many-files.ts");
const SANDBOXD = join(import.meta.dirname, "../../../packages/sandboxd/dist/sandboxd");
const BYTES = 4 * 1024 ** 3;
const TIMES = { times: 5, warmUp: 1 };
const NAMES = {
  make: "20000 files of 3 kB made through FUSE",
  look: "the same looked at",
  read: "the same read",
  write: "400 MB written and flushed",
} as const;

type Taken = Readonly<Record<keyof typeof NAMES, number>>;

/** What a workspace that sandboxd serves through FUSE takes longer than a plain directory. */
export const bound: Group = {
  name: "bound",
  measures: "files of a workspace that is bounded by FUSE, beside a plain directory",
  run: async () => {
    const served = await repeat(TIMES, () => measure(servedCommand));
    const plain = await repeat(TIMES, () => measure(async (directory) => [...program(directory)]));
    return (Object.keys(NAMES) as (keyof typeof NAMES)[]).map((each) => row(each, served, plain));
  },
};

function row(each: keyof typeof NAMES, served: readonly Taken[], plain: readonly Taken[]): Row {
  const middle = (all: readonly Taken[]) => median(all.map((taken) => taken[each]));
  return {
    name: NAMES[each],
    unit: "ms",
    p50: middle(served),
    beside: [{ name: "plain directory", p50: middle(plain) }],
  };
}

const program = (directory: string) => [process.execPath, PROGRAM, directory];

async function servedCommand(directory: string): Promise<readonly string[]> {
  const [files, target] = [join(directory, "files"), join(directory, "target")];
  await Promise.all([mkdir(files), mkdir(target)]);
  return withServedFiles({ program: SANDBOXD, directory: files, bytes: BYTES, target }, program(target));
}

function measure(commandFor: (directory: string) => Promise<readonly string[]>): Promise<Taken> {
  return withDirectory(async (directory) => {
    const [command = "", ...args] = await commandFor(directory);
    const { code, output } = await runProgram(command, args);
    if (code !== 0) throw new Error(output);
    return JSON.parse(output) as Taken;
  });
}
