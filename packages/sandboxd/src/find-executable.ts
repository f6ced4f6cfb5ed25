import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";

/** The path of a program that `env.PATH` finds, or undefined. */
export function findExecutable(name: string, env: Readonly<Record<string, string>>): string | undefined {
  const directories = (env["PATH"] ?? "").split(":").filter((directory) => directory !== "");
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
