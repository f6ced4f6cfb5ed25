// Plain JavaScript for any Node from 20 on.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { progress } from "./progress.mjs";
import { exitCode, ROOT } from "./run.mjs";

/** What is built from the sources, and from which: `output` is the file that shows that a build is there. */
const BUILDS = [
  {
    name: "page",
    command: ["node_modules/.bin/vite", "build", "--logLevel", "error", "packages/web"],
    output: "packages/web/dist/index.html",
    sources: [
      "packages/web/index.html",
      "packages/web/package.json",
      "packages/web/public",
      "packages/web/src",
      "packages/web/vite.config.ts",
      "packages/client/src",
      "packages/protocol/src",
    ],
  },
  {
    name: "sandbox daemon",
    command: ["node_modules/node/bin/node", "packages/sandboxd/build.ts"],
    output: "packages/sandboxd/dist/portable/sandboxd",
    sources: [
      "packages/sandboxd/build.ts",
      "packages/sandboxd/carry-libc.ts",
      "packages/sandboxd/package.json",
      "packages/sandboxd/src",
      "packages/channels/src",
      "packages/protocol/src",
    ],
  },
];

/** Builds what is not built or was built from other sources. Ends the process when a build fails. */
export async function ensureBuilds() {
  for (const build of BUILDS) await ensureBuild(build);
}

async function ensureBuild({ name, command, output, sources }) {
  const stamp = path.join(ROOT, "node_modules/.cache/handrail", `${name.replaceAll(" ", "-")}.sha256`);
  const hash = hashOf(["package-lock.json", ...sources]);
  if (existsSync(path.join(ROOT, output)) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  progress(`Building the ${name}.`);
  const code = await exitCode(command[0], command.slice(1), { NODE_ENV: "production" }, ["ignore", 2, 2]);
  if (code !== 0 || !existsSync(path.join(ROOT, output))) {
    progress(`Building the ${name} failed (code ${code}).`);
    process.exit(1);
  }
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

/** A hash of files and folders: of names and contents, tests left out. */
function hashOf(places) {
  const hash = createHash("sha256");
  for (const file of places.flatMap(filesUnder)) hash.update(`${file}\n`).update(readFileSync(path.join(ROOT, file)));
  return hash.digest("hex");
}

function filesUnder(place) {
  const absolute = path.join(ROOT, place);
  if (!existsSync(absolute)) return [];
  if (statSync(absolute).isFile()) return [place];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}
