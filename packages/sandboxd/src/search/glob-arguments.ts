/** git's own files are never searched; last, as a later glob wins. */
export const NOT_GIT = ["--glob", "!.git"] as const;

/**
 * A glob of names as a file type of ripgrep, which ignored files do not get; `--glob` would bring them back. Undefined
 * for globs of paths, which only `--glob` knows.
 */
export function typeArguments(glob: string): string[] | undefined {
  const name = glob === "**" ? "*" : glob.replace(/^(?:\.?\/)?(?:\*\*\/)+/, "");
  if (/[/!]/.test(name) || name === "" || name === "**") return undefined;
  return ["--type-add", `wanted:${name}`, "--type", "wanted"];
}

/** A glob of paths, relative to where ripgrep starts. */
export const pathGlobArguments = (glob: string) => ["--glob", glob.replace(/^\.\//, "/")];
