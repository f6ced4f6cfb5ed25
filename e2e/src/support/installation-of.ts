import { readFileSync } from "node:fs";
import path from "node:path";

/** How a server names what it makes. It has written it down by the time that it serves. */
export function installationOf(home: string): string {
  const ids = JSON.parse(readFileSync(path.join(home, "installation.json"), "utf8")) as Readonly<
    Record<string, string>
  >;
  return ids[home] ?? "";
}
