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
 * is `name:tag`.
 */
export async function importSmallImage(client: DockerClient, reference: string): Promise<void> {
  const [name = "", tag = ""] = reference.split(/:(?=[^/:]+$)/);
  const libraries = await librariesOf([...PROGRAMS, `${builtPrograms()}/sandboxd`]);
  const files = [...PROGRAMS, ...libraries, TERMINAL, "/usr/bin/env"].map((path) => path.slice(1));
  const tar = spawn("tar", ["--create", "--dereference", "--directory=/", ...new Set(files)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await client.importImage(tar.stdout, name, tag, []);
}

/** What the dynamic loader takes for these programs, itself included. */
async function librariesOf(programs: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("ldd", [...programs]);
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) => (path === undefined ? [] : [path]));
}
