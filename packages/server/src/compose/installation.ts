import { createHash, randomBytes } from "node:crypto";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { jsonFile } from "../settings/json-file.ts";

/** The installation's id by where its state directory is. */
const InstallationFile = z.record(z.string(), z.string().regex(/^[0-9a-f]{12}$/));

/**
 * What tells apart what servers with different state directories make in the same daemon or machine. It is kept in the
 * directory: servers in containers may all have theirs at one path. One that was copied to another place is another
 * installation there, so that neither takes away what the other made. To be asked before the logs are opened.
 */
export async function openInstallation(home: string): Promise<string> {
  const file = jsonFile(join(home, "installation.json"), InstallationFile);
  const known = (await file.read()) ?? {};
  const id = known[home] ?? (await newId(home, known));
  if (known[home] === undefined) await file.write({ ...known, [home]: id });
  return id;
}

/** A directory from before there was the file has what it made under the hash of its path. */
async function newId(home: string, known: z.infer<typeof InstallationFile>): Promise<string> {
  const isFromBefore = Object.keys(known).length === 0 && (await isThere(join(home, "handrail.sqlite")));
  return isFromBefore ? createHash("sha256").update(home).digest("hex").slice(0, 12) : randomBytes(6).toString("hex");
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
