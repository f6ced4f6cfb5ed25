import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

const DIRECTORIES = 200;
const LINE = "The parser drops the last field when a line ends in a comma.\n";

/** A git repository of this many files of 0.3 to 6 kB, committed and packed as after a clone. */
export async function makeRepository(directory: string, files: number): Promise<void> {
  for (let at = 0; at < DIRECTORIES; at++) {
    const folder = join(directory, folderOf(at));
    await mkdir(folder, { recursive: true });
    for (let file = at; file < files; file += DIRECTORIES) writeFileSync(join(folder, nameOf(file)), textOf(file));
  }
  const git = (...args: string[]) => done("git", ["-C", directory, "-c", "gc.auto=0", ...args]);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message=Begin");
  await git("repack", "-a", "-d", "--quiet");
  await git("prune-packed", "--quiet");
}

/** A command that changes the first files of such a repository. */
export function changeCommand(files: number, text: string): string {
  const paths = Array.from({ length: files }, (_, file) => join(folderOf(file % DIRECTORIES), nameOf(file)));
  return `for file in ${paths.join(" ")}; do echo '${text}' >> "$file"; done`;
}

const folderOf = (at: number) => join("packages", `part-${at % 20}`, `module-${at}`);
const nameOf = (file: number) => `file-${file}.ts`;
const textOf = (file: number) => `// ${file}\n${LINE.repeat(5 + ((file * 7919) % 95))}`;

/** Runs a program that must not fail; gives its milliseconds. */
export async function done(
  program: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<number> {
  const { code, ms, output } = await runProgram(program, args, {
    timeoutMs: 300_000,
    ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
  });
  if (code !== 0) throw new Error(`${program} ${args[0]}: ${output.trim().slice(-300)}`);
  return ms;
}
