import { readFileSync } from "node:fs";
import path from "node:path";
import { createClient } from "@handrail/client/create-client";
import { z } from "zod";

/** What a server writes into `server.json` of its state directory while it runs. */
export const ServerFile = z.object({ url: z.url(), token: z.string(), pid: z.number().int() });
export type ServerFile = z.infer<typeof ServerFile>;

/** The server that runs on this state directory; undefined when there is none, or only the file of a dead one. */
export async function runningServer(home: string): Promise<ServerFile | undefined> {
  const file = readServerFile(home);
  if (file === undefined || !isAlive(file.pid)) return undefined;
  const client = createClient({ baseUrl: file.url, token: file.token, timeoutMs: 3000 });
  try {
    await client.session();
    return file;
  } catch {
    return undefined;
  }
}

/** Whether a process that lives has this state directory, also one that still starts or already stops. */
export function isHeld(home: string): boolean {
  try {
    const owner = Number.parseInt(readFileSync(path.join(home, "lock.owner"), "utf8"), 10);
    return owner > 0 && isAlive(owner);
  } catch {
    return false;
  }
}

function readServerFile(home: string): ServerFile | undefined {
  try {
    return ServerFile.safeParse(JSON.parse(readFileSync(path.join(home, "server.json"), "utf8"))).data;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it lives and is another user's.
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
