import { AppError } from "@handrail/protocol/errors";
import { MAX_SAID_PATH, textOfBytes } from "@handrail/protocol/snapshots";
import type { Here } from "./apply-work.ts";
import { pathIn } from "../native/open-place.ts";

const MAX_FAILED = 100;

/** What of a restore failed. One file that cannot be restored does not keep the others from it. */
export class Failures {
  /** Paths with the reason, the first of them. */
  readonly told: string[] = [];

  /** Undefined when it failed and that is noted. @throws AppError `disk_full` */
  try<Value>(here: Pick<Here, "path">, name: string, work: () => Value): Value | undefined {
    try {
      return work();
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      if (code === "ENOSPC" || code === "EDQUOT") throw new AppError("disk_full", "The sandbox's disk is full.");
      const shown = textOfBytes(pathIn(here, name));
      if (this.told.length < MAX_FAILED) this.told.push(failureText(shown, code ?? message));
      return undefined;
    }
  }

  /** The same of work under way. @throws AppError that ends all */
  async noted<Value>(here: Pick<Here, "path">, name: string, work: Promise<Value>): Promise<Value | undefined> {
    try {
      return await work;
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown;
      return this.try(here, name, () => {
        throw thrown;
      });
    }
  }
}

/** Of a path that is too long to be said, the beginning. */
export function failureText(path: string, reason: string): string {
  const why = `: ${reason.slice(0, 300)}`;
  return path.slice(0, MAX_SAID_PATH - why.length) + why;
}
