import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { done } from "./large-repository.ts";

const INSTALLED = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const PACKAGES = [
  "@grpc/grpc-js",
  "commander",
  "fast-check",
  "fastify",
  "pino",
  "protobufjs",
  "react",
  "react-dom",
  "undici",
  "yaml",
  "zod",
];

/**
 * A git repository that depends on packages of this project's own installation, packed into it: `npm ci` needs no network.
 * Its set-up is that. Gives how many files they are.
 */
export async function makeNpmRepository(directory: string): Promise<number> {
  const vendor = join(directory, "vendor");
  await mkdir(join(directory, ".handrail"), { recursive: true });
  await mkdir(vendor);
  let files = 0;
  const locked: Record<string, object> = {};
  const dependencies: Record<string, string> = {};
  for (const name of PACKAGES) {
    const archive = `${name.replace("/", "-")}.tgz`;
    const from = join(INSTALLED, name);
    await done("tar", [
      "-czf",
      join(vendor, archive),
      "--transform=s,^\\.,package,",
      "--exclude=./node_modules",
      "-C",
      from,
      ".",
    ]);
    const integrity = `sha512-${createHash("sha512")
      .update(await readFile(join(vendor, archive)))
      .digest("base64")}`;
    const { version } = JSON.parse(await readFile(join(from, "package.json"), "utf8")) as { readonly version: string };
    const resolved = `file:vendor/${archive}`;
    dependencies[name] = resolved;
    locked[`node_modules/${name}`] = { version, resolved, integrity };
    files += (await readdir(from, { recursive: true })).length;
  }
  const own = { name: "app", version: "1.0.0", dependencies };
  const lock = { name: "app", version: "1.0.0", lockfileVersion: 3, requires: true, packages: { "": own, ...locked } };
  await writeFile(join(directory, "package.json"), JSON.stringify(own));
  await writeFile(join(directory, "package-lock.json"), JSON.stringify(lock));
  await writeFile(join(directory, ".gitignore"), "node_modules\n");
  await writeFile(join(directory, ".handrail/setup.sh"), "npm ci --offline --ignore-scripts --no-audit --no-fund\n");
  const git = (...args: string[]) => done("git", ["-C", directory, ...args]);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message=Begin");
  return files;
}
