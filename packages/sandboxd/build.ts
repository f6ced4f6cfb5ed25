import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { rgPath } from "@vscode/ripgrep";
import { carryLibc } from "./carry-libc.ts";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
const INPUTS = [
  "build.ts",
  "carry-libc.ts",
  "package.json",
  "src",
  "../protocol/src",
  "../channels/src",
  "../../package-lock.json",
];

/** Threads that `main.ts` starts have files of their own within the program, below the folder of `main.ts`. */
const WRITER_THREAD = "snapshot/restore/writer-thread";

const MANIFEST = "manifest.json";
const PROGRAMS = ["sandboxd", "rg", "portable/sandboxd", "portable/rg"];

/**
 * A folder with `sandboxd` and `rg`, and the version that `sandboxd --version` prints. Its folder `portable` has both once
 * more, for images: there sandboxd brings its C library along, where this machine's can be taken.
 */
export type Build = { readonly directory: string; readonly version: string };

/** Builds sandboxd into `dist`, unless what is there was built from the same inputs. Needs `bun`, from `node_modules`. */
export function buildSandboxd(): Build {
  const directory = join(HERE, "dist");
  const version = hashOfInputs();
  if (stateOf(directory, version) === "built") return { directory, version };
  mkdirSync(directory, { recursive: true });
  compile(join(directory, "sandboxd.new"), version);
  copyFileSync(rgPath, join(directory, "rg.new"));
  for (const name of ["sandboxd", "rg"]) {
    chmodSync(join(directory, `${name}.new`), 0o755);
    renameSync(join(directory, `${name}.new`), join(directory, name));
  }
  makePortable(directory);
  writeFileSync(join(directory, MANIFEST), manifestText(version));
  return { directory, version };
}

/** @throws Error with what to do, when `dist` does not hold what `buildSandboxd` would build */
export function requireSandboxdBuilt(directory: string = join(HERE, "dist")): void {
  const state = stateOf(directory, hashOfInputs());
  if (state === "built") return;
  const what = state === "missing" ? "is not built" : "was built from other sources than are here";
  throw new Error(`sandboxd ${what}, so sandboxes would not answer. Run: node packages/sandboxd/build.ts`);
}

function stateOf(directory: string, version: string): "built" | "missing" | "other" {
  const manifest = join(directory, MANIFEST);
  const isThere = existsSync(manifest) && PROGRAMS.every((name) => existsSync(join(directory, name)));
  if (!isThere) return "missing";
  return readFileSync(manifest, "utf8") === manifestText(version) ? "built" : "other";
}

function makePortable(directory: string): void {
  const making = join(directory, "portable.new");
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making);
  for (const name of ["sandboxd", "rg"]) copyFileSync(join(directory, name), join(making, name));
  if (!carryLibc(making, "sandboxd")) process.stdout.write("sandboxd will need an image with the GNU C library.\n");
  rmSync(join(directory, "portable"), { recursive: true, force: true });
  renameSync(making, join(directory, "portable"));
}

function compile(output: string, version: string): void {
  const bun = join(dirname(createRequire(import.meta.url).resolve("bun/package.json")), "bin", "bun.exe");
  const defined = { SANDBOXD_VERSION: version, WRITER_THREAD: `./${WRITER_THREAD}.js` };
  const defines = Object.entries(defined).flatMap(([name, value]) => ["--define", `${name}=${JSON.stringify(value)}`]);
  // Compiled ahead to bytecode it starts in half of the time. What runs once, at the start, is not worth machine code, of
  // which it made 7 ms: a function has to run ten times as often as usual before it is.
  const ahead = ["--bytecode", "--format=esm", "--compile-jit-policy=10"];
  // What is loaded later is in files of its own within the program: what they import is loaded with them.
  const speed = ["--splitting", ...ahead, "--minify-syntax", "--minify-whitespace"];
  const flags = ["--compile", ...speed, ...defines, "--outfile", output];
  const sources = ["main", WRITER_THREAD].map((source) => join(HERE, `src/${source}.ts`));
  execFileSync(bun, ["build", ...sources, ...flags], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

const manifestText = (version: string) => `${JSON.stringify({ version })}\n`;

function hashOfInputs(): string {
  const hash = createHash("sha256").update(process.arch);
  for (const file of INPUTS.flatMap((input) => filesOf(join(HERE, input)))) {
    hash.update(`${relative(ROOT, file)}\n`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Files of the program, in order; tests change nothing. */
function filesOf(path: string): string[] {
  if (statSync(path).isDirectory()) {
    return readdirSync(path)
      .sort()
      .flatMap((name) => filesOf(join(path, name)));
  }
  return path.endsWith(".test.ts") ? [] : [path];
}

if (import.meta.main) process.stdout.write(`sandboxd ${buildSandboxd().version}\n`);
