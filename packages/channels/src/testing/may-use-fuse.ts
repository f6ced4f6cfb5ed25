import { accessSync, constants, statSync } from "node:fs";

const DEVICE = "/dev/fuse";

/** Whether this process may use FUSE. It says what is not tested otherwise. */
export const mayUseFuse = (what: string): boolean =>
  orSaid(what, () => {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return true;
  });

/** Whether other users may, for tests that become one. */
export const usersMayUseFuse = (what: string): boolean =>
  orSaid(`${what} by a plain user`, () => (statSync(DEVICE).mode & 0o006) === 0o006);

function orSaid(what: string, may: () => boolean): boolean {
  try {
    if (may()) return true;
  } catch {
    // It is not there, or not for this process.
  }
  process.stdout.write(`${what} is not tested: that takes ${DEVICE}.\n`);
  return false;
}
