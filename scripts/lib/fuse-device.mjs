// Plain JavaScript for any Node from 20 on.
import { chmodSync, existsSync, statSync } from "node:fs";
import { progress } from "./progress.mjs";

const DEVICE = "/dev/fuse";
/** There as long as udev runs. */
const UDEV = "/run/udev/control";
const EVERYBODY = 0o666;

/**
 * Gives everybody FUSE where only root has it because there is no udev, whose rules do that (50-udev-default.rules). Where udev
 * runs, whoever has it otherwise has chosen so.
 */
export function ensureFuse() {
  if (process.getuid?.() !== 0 || existsSync(UDEV) || !existsSync(DEVICE)) return;
  if ((statSync(DEVICE).mode & EVERYBODY) === EVERYBODY) return;
  try {
    chmodSync(DEVICE, EVERYBODY);
    progress(`${DEVICE} is everybody's until this machine starts again, as udev would have it.`);
  } catch {
    progress(`${DEVICE} is root's alone: what plain users do with FUSE is not tested.`);
  }
}
