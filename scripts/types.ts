// Runs the type checker on every package, two at a time. Exits 1 when one fails; prints what each says. What was found is
// kept, so that the next time only files are checked anew that changed, or that import what changed.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import path from "node:path";

const projects = [...globSync("packages/*/tsconfig.json"), ...globSync("{e2e,bench,scripts}/tsconfig.json")].toSorted(
  (one, other) => sources(other) - sources(one) || one.localeCompare(other),
);
const KEPT = "node_modules/.cache/handrail/types";
const count = projects.length;
let failed = 0;

async function worker(): Promise<void> {
  for (let project = projects.shift(); project !== undefined; project = projects.shift()) {
    if (!(await passes(project))) failed += 1;
  }
}

/** One checker each: several of one program do much of the work once for each of them. */
function passes(project: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const kept = path.join(KEPT, `${path.dirname(project).replaceAll("/", "-")}.tsbuildinfo`);
  const args = ["-p", project, "--checkers", "1", "--incremental", "--tsBuildInfoFile", kept];
  const child = spawn("node_modules/.bin/tsc", args, { stdio: ["ignore", "inherit", "inherit"] });
  child.on("error", () => resolve(false));
  child.on("close", (code) => resolve(code === 0));
  return promise;
}

/** How many files a project has of its own: the largest go first, so that none is left over at the end. */
function sources(project: string): number {
  return globSync(path.join(path.dirname(project), "**/*.{ts,tsx}"), { exclude: ["**/node_modules/**"] }).length;
}

await Promise.all([worker(), worker()]);
console.log(`types: ${count} projects, ${failed} failed`);
process.exitCode = failed > 0 || count === 0 ? 1 : 0;
