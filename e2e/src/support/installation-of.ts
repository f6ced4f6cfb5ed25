import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { forgetInDocker } from "@handrail/sandboxes/testing/forget-installation";

const fileIn = (home: string) => path.join(home, "installation.json");

/** How a server names what it makes. It has written it down by the time that it serves. */
export function installationOf(home: string): string {
  const ids = JSON.parse(readFileSync(fileIn(home), "utf8")) as Readonly<Record<string, string>>;
  return ids[home] ?? "";
}

/** Removes what a server keeps in Docker between its starts. Nothing happens where it was never started. */
export async function forgetServer(home: string): Promise<void> {
  if (existsSync(fileIn(home))) await forgetInDocker(installationOf(home));
}
