// Runs the type checker on every package, two at a time. Exits 1 when one fails; prints what each says.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";

const projects = [...globSync("packages/*/tsconfig.json"), ...globSync("{e2e,bench,scripts}/tsconfig.json")].toSorted();
let failed = 0;

async function worker(): Promise<void> {
  for (let project = projects.shift(); project !== undefined; project = projects.shift()) {
    if (!(await passes(project))) failed += 1;
  }
}

function passes(project: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const child = spawn("node_modules/.bin/tsc", ["-p", project], { stdio: ["ignore", "inherit", "inherit"] });
  child.on("close", (code) => resolve(code === 0));
  return promise;
}

const count = projects.length;
await Promise.all([worker(), worker()]);
console.log(`types: ${count} projects, ${failed} failed`);
process.exitCode = failed > 0 || count === 0 ? 1 : 0;
