import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { cacheDirectory } from "./config.ts";

const run = promisify(execFile);
const HERE = import.meta.dirname;

/** Packages that others wrote, installed outside of the checkout; or why they cannot be had. */
export type Packages = { readonly directory: string } | { readonly missing: string };

/** The npm clients of `package.json`, at the versions of its lockfile. Gives the directory that has `node_modules`. */
export function nodePackages(): Promise<Packages> {
  return installed("js", ["package.json", "package-lock.json"], async (directory) => {
    await Promise.all(
      ["package.json", "package-lock.json"].map((name) => copyFile(path.join(HERE, name), path.join(directory, name))),
    );
    await run("npm", ["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: directory });
  });
}

/** The PyPI clients and the proxy of `requirements.txt`. Gives a directory with `bin/python`. */
export function pythonPackages(): Promise<Packages> {
  return installed("py", ["requirements.txt"], async (directory) => {
    await run("python3", ["-m", "venv", directory]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    await run(path.join(directory, "bin/python"), [...pip, "-r", path.join(HERE, "requirements.txt")]);
  });
}

async function installed(
  kind: string,
  files: readonly string[],
  install: (directory: string) => Promise<void>,
): Promise<Packages> {
  const contents = await Promise.all(files.map((file) => readFile(path.join(HERE, file), "utf8")));
  const version = createHash("sha256").update(contents.join("\0")).digest("hex").slice(0, 12);
  const directory = path.join(cacheDirectory(), `${kind}-${version}`);
  if (await exists(directory)) return { directory };
  const making = `${directory}.${process.pid}`;
  try {
    await mkdir(making, { recursive: true });
    await install(making);
    await rename(making, directory);
    return { directory };
  } catch (thrown) {
    await rm(making, { recursive: true, force: true });
    // Another run may have been faster.
    if (await exists(directory)) return { directory };
    return { missing: `packages could not be installed: ${String(thrown).split("\n", 1)[0]?.slice(0, 300)}` };
  }
}

function exists(place: string): Promise<boolean> {
  return access(place).then(
    () => true,
    () => false,
  );
}
