import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { callsOf } from "@handrail/core/testing/sandbox-fixture";
import { runProgram } from "../run-program.ts";

const LOADER = process.arch === "arm64" ? "ld-musl-aarch64.so.1" : "ld-musl-x86_64.so.1";
const BUSYBOX = "/bin/busybox";

/** Whether this machine has musl and BusyBox. Says so on standard output when it has not. */
export function canMakeMuslRoot(): boolean {
  const there = existsSync(BUSYBOX) && existsSync(`/lib/${LOADER}`);
  if (!there) process.stdout.write("Images with musl are not tested: that takes musl and busybox-static.\n");
  return there;
}

/**
 * A tar of a root file system as Alpine's is made: BusyBox, which needs no library, and musl in place of the GNU C
 * library. Everybody may write to its `/data`, which has the file `there`. The caller removes it.
 */
export async function muslRoot(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-musl-"));
  const tarFile = `${directory}.tar`;
  try {
    for (const name of ["bin", "lib", "etc", "tmp"]) await mkdir(join(directory, name));
    await copyFile(BUSYBOX, join(directory, "bin/busybox"));
    await copyFile(`/lib/${LOADER}`, join(directory, "lib", LOADER));
    await mkdir(join(directory, "data"));
    await chmod(join(directory, "data"), 0o777);
    await writeFile(join(directory, "data/there"), "there\n");
    const { stdout } = await runProgram(BUSYBOX, ["--list"]);
    const names = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
    for (const name of names) await symlink("busybox", join(directory, "bin", name));
    const packed = await runProgram("tar", [
      "--create",
      "--file",
      tarFile,
      "--owner=0",
      "--group=0",
      "-C",
      directory,
      ".",
    ]);
    if (packed.code !== 0) throw new Error(packed.stderr);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return tarFile;
}

/** What `workIn` gives in a sandbox of such an image. */

/** Tries to write where the image has `/data`, and says what is there. */
export async function writeToData(sandbox: Sandbox): Promise<string> {
  const script = "ls /data; echo more > /data/more 2> /dev/null || echo refused; ls /data";
  return callsOf(sandbox).shell(script);
}

export const MUSL_WORK = [
  { exitCode: 1, output: `${LOADER}\nmusl libc (${process.arch === "arm64" ? "aarch64" : "x86_64"})\n` },
  // The shell goes on where it was, and no library path of sandboxd is in its environment.
  { exitCode: 0, output: "/tmp\n" },
];

/** Two commands on one terminal. */
export async function workIn(sandbox: Sandbox) {
  const { run } = callsOf(sandbox);
  const first = await run(`cd /tmp && ls /lib && /lib/${LOADER} 2>&1 | head -n 1; false`);
  const second = await run("pwd; env | grep ^LD_; true");
  return [first, second].map(({ exitCode, output }) => ({ exitCode, output }));
}
