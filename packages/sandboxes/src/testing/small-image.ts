import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import type { DockerClient } from "../docker/docker-client.ts";
import { builtPrograms } from "./test-programs.ts";

const SHELLS = ["sh", "bash"];
const TOOLS = [
  "cat",
  "chmod",
  "cut",
  "grep",
  "head",
  "id",
  "ln",
  "ls",
  "mkdir",
  "mkfifo",
  "mount",
  "mv",
  "od",
  "readlink",
  "rm",
  "seq",
  "sleep",
  "stat",
  "sync",
  "tail",
  "touch",
  "tr",
  "unshare",
  "wc",
];
/** What bash edits lines with. */
const TERMINAL = "/lib/terminfo/x/xterm-256color";
const PROGRAMS = [...SHELLS, ...TOOLS].map((name) => `/bin/${name}`);

/**
 * Gives a daemon an image of a few megabytes: this machine's shells, a few of its tools and its C library, enough for sandboxd. `reference`
 * is `name:tag`. `python`: names of modules; with any it has this machine's Python with these alone.
 */
export async function importSmallImage(
  client: DockerClient,
  reference: string,
  python: readonly string[] = [],
): Promise<void> {
  const [name = "", tag = ""] = reference.split(/:(?=[^/:]+$)/);
  const interpreter = python.length === 0 ? [] : await pythonFiles(python);
  const binaries = interpreter.filter((path) => !path.endsWith(".py"));
  const libraries = await librariesOf([...PROGRAMS, ...binaries, `${builtPrograms()}/sandboxd`]);
  const files = [...PROGRAMS, ...interpreter, ...libraries, TERMINAL, "/usr/bin/env"].map((path) => path.slice(1));
  // A rootless daemon makes directories that the archive does not have for root alone.
  const paths = new Set([...files.flatMap(directoriesAbove), ...files]);
  const tar = spawn("tar", ["--create", "--dereference", "--no-recursion", "--directory=/", ...paths], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await client.importImage(tar.stdout, name, tag, []);
}

function directoriesAbove(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** The interpreter, and the files of the modules that are loaded when it imports these. */
async function pythonFiles(modules: readonly string[]): Promise<readonly string[]> {
  const script = `import sys, ${modules.join(", ")}
print("\\n".join({m.__file__ for m in sys.modules.values() if getattr(m, "__file__", None)}))`;
  const { stdout } = await promisify(execFile)("/usr/bin/python3", ["-IS", "-c", script]);
  return ["/usr/bin/python3", ...stdout.trim().split("\n")];
}

/** What the dynamic loader takes for these programs, itself included. */
async function librariesOf(programs: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("ldd", [...programs]);
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) => (path === undefined ? [] : [path]));
}
