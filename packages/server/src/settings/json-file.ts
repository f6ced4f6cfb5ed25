import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError, tooManyFiles } from "@handrail/protocol/errors";
import type { z } from "zod";

/** A small JSON file that only this user may read. */
export type JsonFile<Value> = {
  /** The content, or undefined when there is no file. @throws AppError `storage_failed` when it is not what it was */
  read(): Promise<Value | undefined>;
  /** Replaces the whole file; a kill at any time leaves the old or the new one. @throws AppError `storage_full` */
  write(value: Value): Promise<void>;
  remove(): Promise<void>;
};

/** The file at `path`, checked by `schema` when read. */
export function jsonFile<Schema extends z.ZodType>(path: string, schema: Schema): JsonFile<z.infer<Schema>> {
  return {
    async read() {
      const text = await readFile(path, "utf8").catch((thrown: unknown) => {
        if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw thrown;
      });
      return text === undefined ? undefined : parsed(path, text, schema);
    },
    write: (value) => replaceFile(path, `${JSON.stringify(value, null, 2)}\n`),
    remove: () => rm(path, { force: true }),
  };
}

/** Writes a file of mode 0600 by way of a new file and a rename. @throws AppError `storage_full`, `storage_failed` */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const fresh = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.part`);
  try {
    const handle = await open(fresh, "wx", 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw storageError(path, cause);
  }
}

const UNFINISHED = /^\.[\w.-]+\.[0-9a-f]{12}\.part$/;

/** Removes what a killed process was writing in a directory that this one alone writes to. It may be secret. */
export async function removeUnfinished(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => UNFINISHED.test(name));
  await Promise.all(names.map((name) => rm(join(directory, name), { force: true })));
}

function storageError(path: string, cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new AppError("storage_full", "The disk of the state directory is full. Free some space.", {}, { cause });
  }
  const failed = () =>
    new AppError("storage_failed", `${path} could not be written (${code ?? "unknown"}).`, {}, { cause });
  return tooManyFiles(cause) ?? failed();
}

function parsed<Schema extends z.ZodType>(path: string, text: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError("storage_failed", `${path} is damaged. Restore it from a backup, or remove it.`, {}, { cause });
  }
}
