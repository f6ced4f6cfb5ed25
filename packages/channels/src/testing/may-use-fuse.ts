import { accessSync, constants } from "node:fs";

/** Whether this process may use FUSE. It says what is not tested otherwise. */
export function mayUseFuse(what: string): boolean {
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    process.stdout.write(`${what} is not tested: that takes /dev/fuse.\n`);
    return false;
  }
}
