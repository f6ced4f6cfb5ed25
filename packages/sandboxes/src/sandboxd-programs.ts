import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { access, constants, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AppError } from "@handrail/protocol/errors";

/** The folder of programs that every sandbox gets: `sandboxd`, and what it calls, such as `rg`. */
export type SandboxdPrograms = {
  readonly directory: string;
  /** 12 hexadecimal digits that change with any byte of the programs. */
  readonly version: () => Promise<string>;
};

/** The programs in `directory`. Their version is computed at first use and kept. */
export function sandboxdPrograms(directory: string): SandboxdPrograms {
  let version: Promise<string> | undefined;
  return {
    directory,
    version: () => {
      version ??= hashOf(directory).catch((error: unknown) => {
        version = undefined;
        throw error;
      });
      return version;
    },
  };
}

/**
 * The programs for root file systems that are not this machine's: there sandboxd brings its C library along, where that
 * could be had. It runs at `/handrail` only.
 */
export function portablePrograms(directory: string): string {
  const portable = join(directory, "portable");
  return existsSync(portable) ? portable : directory;
}

/** @throws AppError `sandbox_failed` when sandboxd is not there to be run */
export async function requireSandboxd(directory: string): Promise<void> {
  try {
    await access(join(directory, "sandboxd"), constants.X_OK);
  } catch (cause) {
    const message = `The program sandboxd is missing from ${directory}. Build it, then try again.`;
    throw new AppError("sandbox_failed", message, { directory }, { cause });
  }
}

async function hashOf(directory: string): Promise<string> {
  await requireSandboxd(directory);
  const hash = createHash("sha256");
  for (const name of (await readdir(directory)).toSorted()) {
    hash.update(`${name}\n`);
    await pipeline(createReadStream(join(directory, name)), async (bytes) => {
      for await (const part of bytes) hash.update(part as Buffer);
    });
  }
  return hash.digest("hex").slice(0, 12);
}
