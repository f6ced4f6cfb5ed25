import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/** The machine's own programs are what runs in it, so that no image is needed. */
const SYSTEM = ["/usr", "/bin", "/lib", "/lib64"];
const NAMESPACES = ["pid", "network", "ipc", "uts", "mount"];

/** A container of `true` by runc alone, from nothing to gone, in milliseconds. */
export async function rawRunc(): Promise<number> {
  const bundle = await mkdtemp(join(tmpdir(), "handrail-bench-runc-"));
  try {
    const mounts = await systemMounts();
    for (const { destination } of mounts) await mkdir(join(bundle, "rootfs", destination), { recursive: true });
    await writeFile(join(bundle, "config.json"), JSON.stringify(specOf(mounts)));
    const name = `handrail-bench-${bundle.slice(bundle.lastIndexOf("-") + 1)}`;
    const args = ["--root", join(bundle, "state"), "run", "--bundle", bundle, name];
    const { code, ms, output } = await runProgram("runc", args);
    if (code !== 0) throw new Error(`runc: ${output.trim().slice(-300)}`);
    return ms;
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}

type Mount = Readonly<Record<"destination" | "type" | "source", string>> & { readonly options?: readonly string[] };

async function systemMounts(): Promise<readonly Mount[]> {
  const binds = await Promise.all(
    SYSTEM.map(async (destination) => {
      const source = await realpath(destination).catch(() => undefined);
      return source === undefined ? [] : [{ destination, type: "bind", source, options: ["rbind", "ro"] }];
    }),
  );
  return [...binds.flat(), { destination: "/proc", type: "proc", source: "proc" }];
}

/** Source: OCI runtime specification 1.0.2, config.md */
function specOf(mounts: readonly Mount[]) {
  const env = ["PATH=/usr/bin:/bin"];
  return {
    ociVersion: "1.0.2",
    process: { terminal: false, user: { uid: 0, gid: 0 }, args: ["true"], env, cwd: "/", noNewPrivileges: true },
    root: { path: "rootfs", readonly: true },
    mounts,
    linux: { namespaces: NAMESPACES.map((type) => ({ type })) },
  };
}
