// Plain JavaScript that also runs on Node 20: what start, test and check share before the pinned Node is there.
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** The environment with the project's own binaries, the pinned Node among them, first on the path. */
export function environment(extra = {}) {
  const bin = path.join(ROOT, "node_modules/.bin");
  return { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}`, ...extra };
}

/** Runs a program in the project's root with its output shown; ends this process with its code when it fails. */
export async function run(command, args, extra = {}) {
  const code = await exitCode(command, args, extra);
  if (code !== 0) process.exit(code);
}

/** The exit code of a program run in the project's root with its output shown; 127 when it cannot be started. */
export function exitCode(command, args, extra = {}, stdio = "inherit") {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env: environment(extra), stdio });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

/**
 * Runs programs in the project's root at the same time, so that none leaves a processor idle. Shows what each says when it
 * ends; ends this process with a failed one's code when all have ended.
 */
export async function runTogether(programs) {
  const codes = await Promise.all(programs.map(([command, args]) => shownAtEnd(command, args)));
  const failed = codes.find((code) => code !== 0);
  if (failed !== undefined) process.exit(failed);
}

function shownAtEnd(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    for (const output of [child.stdout, child.stderr]) output.on("data", (data) => said.push(data));
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code, signal) => {
      process.stdout.write(Buffer.concat(said));
      resolve(signal ? 1 : (code ?? 1));
    });
  });
}
