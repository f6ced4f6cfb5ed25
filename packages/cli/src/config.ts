import { homedir } from "node:os";
import path from "node:path";

/** What the environment says: the state directory, and whether colours are unwanted (no-color.org). */
export type Environment = { readonly home: string; readonly noColor: boolean };

export function readEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const home = env["HANDRAIL_HOME"] || "~/.handrail";
  return {
    home: path.resolve(home.replace(/^~(?=\/|$)/, homedir())),
    noColor: (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb",
  };
}
