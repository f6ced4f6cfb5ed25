import type { Handlers } from "./handlers.ts";
import { resolveExisting, type Root } from "./files/resolve-path.ts";
import { runProgram } from "./run-program.ts";

/** The operation that runs a program for Handrail itself. */
export function processRun(root: Root, env: Readonly<Record<string, string>>): Handlers["process.run"] {
  return async (args, call) => {
    const cwd = args.cwd === undefined ? root.workspace : resolveExisting(root, args.cwd, "sandbox").real.toString();
    const { timeoutMs, capBytes } = args;
    const stdin = args.stdin === undefined ? {} : { stdin: args.stdin };
    const done = await runProgram(args.argv, { cwd, env, timeoutMs, capBytes, signal: call.signal, ...stdin });
    return { ...done, stdout: done.stdout.toString(), stderr: done.stderr.toString() };
  };
}
