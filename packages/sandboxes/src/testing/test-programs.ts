import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of programs that tests inject; built before the tests run. @throws Error when it was not built */
export function builtPrograms(): string {
  const directory = join(import.meta.dirname, "../../../sandboxd/dist");
  if (existsSync(join(directory, "sandboxd"))) return directory;
  throw new Error(`sandboxd is not in ${directory}: build it first.`);
}
