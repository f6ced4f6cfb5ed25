import { runProgram } from "../run-program.ts";

/** The bubblewrap that is installed. */
export type Bubblewrap = {
  /** "0.8.0". */
  readonly version: string;
  /** Sizes of tmpfs and permissions of directories can be set (from 0.7 on). */
  readonly sizes: boolean;
  /** Namespaces within the sandbox can be forbidden (from 0.8 on). */
  readonly disablesNamespaces: boolean;
};

/** The bubblewrap of this machine, or undefined when there is none. */
export async function findBubblewrap(): Promise<Bubblewrap | undefined> {
  const answer = await runProgram("bwrap", ["--version"]);
  const [, version, major, minor] = /^bubblewrap ((\d+)\.(\d+)\S*)/.exec(answer.stdout) ?? [];
  if (answer.code !== 0 || version === undefined) return undefined;
  const number = Number(major) * 1000 + Number(minor);
  return { version, sizes: number >= 7, disablesNamespaces: number >= 8 };
}
