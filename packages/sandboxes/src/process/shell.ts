/** The descriptor that bwrap reads the filter of system calls from. */
export const SECCOMP_FD = 3;

/** A command that runs a script with these words. */
export function shell(script: string, words: readonly string[]): readonly string[] {
  return ["sh", "-c", script, "handrail-sandbox", ...words];
}
