import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../settings/json-file.ts";

/** What local programs need to talk to the running server. Only its user may read the file. */
export type ServerFile = { readonly pid: number; readonly url: string; readonly token: string };

/** Writes `server.json` in the state directory. Returns the way to remove it, if it is still this process's. */
export async function writeServerFile(home: string, content: ServerFile): Promise<() => Promise<void>> {
  const path = join(home, "server.json");
  await replaceFile(path, `${JSON.stringify(content)}\n`);
  return async () => {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.includes(content.token)) await rm(path, { force: true });
  };
}
