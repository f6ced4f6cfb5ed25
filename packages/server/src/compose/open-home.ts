import { mkdir, mkdtemp, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "@handrail/protocol/errors";

/**
 * Makes the state directory where there is none, for this user alone, and sees that it can be written to.
 * @throws AppError `config_invalid` when it cannot be a directory that this user writes to
 */
export async function openHome(home: string): Promise<void> {
  try {
    await makeDirectory(home);
    await rmdir(await mkdtemp(join(home, ".writable-")));
  } catch (cause) {
    const { code = "unknown reason" } = cause as NodeJS.ErrnoException;
    const message = `The state directory ${home} cannot be written to (${code}). Choose another with HANDRAIL_HOME or --home.`;
    throw new AppError("config_invalid", message, {}, { cause });
  }
}

/** Level by level: Node's own recursive `mkdir` never ends where a file system such as /proc refuses with ENOENT. */
async function makeDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return undefined;
    throw thrown;
  });
  if (found !== undefined) return;
  await makeDirectory(dirname(path));
  await mkdir(path, { mode: 0o700 }).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== "EEXIST") throw thrown;
  });
}
