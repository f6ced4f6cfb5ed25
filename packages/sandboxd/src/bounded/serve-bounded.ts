import { readSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KEEPER_READY, KEEPER_RELEASED } from "@handrail/protocol/sandboxd/disk-messages";
import { answerRequest } from "./answer-requests.ts";
import { countFiles } from "./count-files.ts";
import { type FileCalls, openFileCalls } from "./file-calls.ts";
import { Files } from "./files.ts";
import { mountedDevice, type MountedFuse, mountFuse, type OpenDevice } from "./fuse-device.ts";
import { newMemory } from "./request.ts";
import { Space } from "./space.ts";

/** For so long the last one that served the directory may still do. */
const PATIENCE_MS = 5_000;
const STDIN = 0;
const STDOUT = 1;

export type Bounds = {
  readonly directory: string;
  /** What may be stored in it. */
  readonly bytes: number;
  /** Where it is mounted, or the open FUSE device that others mount. */
  readonly mount: { readonly target: string } | OpenDevice;
};

/**
 * Serves a directory at another place as a file system with a bound, until nobody has that mounted any more. With a target it
 * mounts it, says "ready" on standard output, takes the mount away when standard input ends, and says "released". Nobody else
 * may change the directory meanwhile.
 * @throws Error when it cannot be served
 */
export async function serveBounded({ directory, bytes, mount }: Bounds): Promise<void> {
  const calls = await openFileCalls();
  const path = Buffer.from(resolve(directory)).toString("latin1");
  await lock(calls, path);
  const opened = "target" in mount ? await mountFuse(mount.target) : await mountedDevice(mount);
  // From where the mount can still be found.
  process.chdir("/");
  // Nothing in it leads out of it then.
  if (calls.makeRoot(path) < 0) throw new Error("The directory cannot be made the root.");
  const space = new Space(bytes);
  countFiles(calls, space);
  const memories = { input: newMemory(calls), output: newMemory(calls), names: newMemory(calls) };
  const served = { calls, space, files: new Files(calls, space), ...memories };
  const answerNext = () => answerRequest(served, opened.device);
  if (isMountedHere(opened) && !serveUntilReleased(opened, answerNext)) return;
  while (answerNext()) {
    // Until nobody has it.
  }
}

const isMountedHere = (opened: OpenDevice): opened is MountedFuse => "unmount" in opened;

/** False: nobody has it any more. */
function serveUntilReleased(device: MountedFuse, answerNext: () => boolean): boolean {
  say(KEEPER_READY);
  const said = Buffer.alloc(1024);
  for (;;) {
    if (!device.waits(STDIN)) {
      if (!answerNext()) return false;
    } else if (readSync(STDIN, said) === 0) {
      device.unmount();
      say(KEEPER_RELEASED);
      return true;
    }
  }
}

/** At once: nothing else is done while files are served. Whoever started this may be gone. */
function say(word: string): void {
  try {
    writeSync(STDOUT, `${word}\n`);
  } catch {
    // Nobody wants to know.
  }
}

/** The directory stays open, and so locked, until this process ends. */
async function lock(calls: FileCalls, directory: string): Promise<void> {
  const file = calls.openDirectory(directory);
  if (file < 0) throw new Error("The directory cannot be opened.");
  const until = performance.now() + PATIENCE_MS;
  while (calls.lock(file) < 0) {
    if (performance.now() > until) throw new Error("The last sandbox still holds the workspace.");
    await delay(2);
  }
}
