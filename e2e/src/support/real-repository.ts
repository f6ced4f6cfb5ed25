import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rename } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const PACKAGE = "docutils";
const VERSION = "0.21.2";

/**
 * A repository that nobody here wrote: docutils, 737 files with a test suite of 1,656 cases that needs nothing but
 * Python. Made from its source release, as one commit on `main`, in a bare repository `docutils.git`. Gives the
 * directory that holds it; kept between runs.
 */
export async function realRepository(): Promise<string> {
  const cache = path.join(process.env["HANDRAIL_CACHE"] ?? path.join(homedir(), ".cache/handrail"), "e2e");
  const kept = path.join(cache, `${PACKAGE}-${VERSION}`);
  if (await exists(kept)) return kept;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(path.join(tmpdir(), "handrail-docutils-"));
  await download(work);
  const tree = path.join(work, `${PACKAGE}-${VERSION}`);
  const git = (...args: string[]) => run("git", ["-c", "user.name=Test", "-c", "user.email=t@example.org", ...args]);
  await git("-C", tree, "init", "--quiet", "-b", "main");
  await git("-C", tree, "add", "-A", "-f");
  await git("-C", tree, "commit", "--quiet", "-m", `${PACKAGE} ${VERSION}`);
  const host = path.join(work, "host");
  await mkdir(host);
  await git("clone", "--quiet", "--bare", tree, path.join(host, `${PACKAGE}.git`));
  await run("cp", ["-a", host, `${kept}.new`]);
  await rename(`${kept}.new`, kept);
  return kept;
}

async function download(directory: string): Promise<void> {
  const args = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", directory];
  await run("pip3", [...args, `${PACKAGE}==${VERSION}`]).catch(() =>
    run("python3", ["-m", "pip", ...args, `${PACKAGE}==${VERSION}`]),
  );
  const archive = (await readdir(directory)).find((name) => name.endsWith(".tar.gz"));
  if (archive === undefined) throw new Error("pip downloaded no source release of docutils");
  await run("tar", ["-xzf", path.join(directory, archive), "-C", directory]);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
