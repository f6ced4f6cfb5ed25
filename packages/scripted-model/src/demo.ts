import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseScript, type Script } from "./script.ts";

/** The bundled repository with one failing test that the demo works on. Copy it and `git init` the copy. */
export const demoRepositoryDirectory: string = fileURLToPath(new URL("../demo/repository", import.meta.url));

/** What the demo's model says. Its first message says that it is a script. */
export const demoScript: Script = parseScript(
  readFileSync(fileURLToPath(new URL("../demo/script.json", import.meta.url)), "utf8"),
);
