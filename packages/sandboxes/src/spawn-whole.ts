import { spawn } from "node:child_process";
import { AppError } from "@handrail/protocol/errors";

/**
 * As Node's `spawn`, save when no more files can be opened. Node gives half a child then, without the streams that its type
 * promises, and with an error to come that ends this process when touching them has kept its listener away.
 * @throws AppError `too_many_files` then; all other failures are the child's event `error`
 */
export const spawnWhole = ((...wanted: Parameters<typeof spawn>) => {
  const child = spawn(...wanted);
  if (Object.hasOwn(child, "stdio")) return child;
  child.on("error", () => undefined);
  const message = `The server has too many files open to start ${wanted[0]}. Raise its limit of open files (ulimit -n).`;
  throw new AppError("too_many_files", message, { program: wanted[0] });
}) as typeof spawn;
