import { execFile } from "node:child_process";

export type ProgramResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end with a clean environment. A program that is not there, or is over 30 s, has code null. */
export function runProgram(program: string, args: readonly string[]): Promise<ProgramResult> {
  const options = { env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" } };
  return new Promise((resolve) => {
    execFile(program, args, { ...options, cwd: "/", timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      resolve({ code: typeof code === "number" ? code : null, stdout, stderr: stderr || (error?.message ?? "") });
    });
  });
}
