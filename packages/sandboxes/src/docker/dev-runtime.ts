import { AppError } from "@handrail/protocol/errors";
import type { DockerClient } from "./docker-client.ts";
import type { MadeNames } from "../labels/made-names.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import type { ProgramsVolume } from "./programs-volume.ts";
import { kernelUnder } from "./runtime-kernel.ts";

/** What sandboxes that are root run under. */
export type DevRuntime = {
  /** The daemon's name for it; undefined: its own choice. */
  readonly runtime: string | undefined;
  /** Whether their programs may make containers: it was asked for, and the runtime gives each a kernel of its own. */
  readonly containers: boolean;
};

/** What a sandbox has that is not root. */
export const NO_DEV_RUNTIME: DevRuntime = { runtime: undefined, containers: false };

type Parts = { readonly client: DockerClient; readonly names: MadeNames };
type Wanted = { readonly devRuntime?: string | undefined; readonly containers?: boolean | undefined };

/** The runtime that the settings name. Its kernel is asked for once, and again after a failure. */
export function devRuntimes({ client, names }: Parts, { devRuntime, containers = false }: Wanted) {
  let kernel: Promise<string> | undefined;
  const hasOwnKernel = async (runtime: string, info: DaemonInfo, imageId: string, programs: ProgramsVolume) => {
    kernel ??= kernelUnder({ client, names, runtime, imageId, programs: programs.name });
    kernel.catch(() => (kernel = undefined));
    // `Linux version 6.1.0-40-amd64 (…`: the same release is the daemon's own kernel, which holds all other sandboxes too.
    return !(await kernel).startsWith(`Linux version ${info.kernel} `);
  };
  return {
    /**
     * For a sandbox of this image.
     * @throws AppError `backend_unavailable` where the daemon does not know the runtime
     */
    async choose(imageId: string, programs: ProgramsVolume): Promise<DevRuntime> {
      if (devRuntime === undefined) return NO_DEV_RUNTIME;
      const info = await client.info(AbortSignal.timeout(10_000));
      const missing = missingRuntime(info, devRuntime);
      if (missing !== undefined) throw new AppError("backend_unavailable", missing, { runtime: devRuntime });
      return {
        runtime: devRuntime,
        containers:
          containers && info.product === "Docker" && (await hasOwnKernel(devRuntime, info, imageId, programs)),
      };
    },
  };
}

/** What to do about a runtime that the daemon does not know; undefined: it does. */
export function missingRuntime({ runtimes }: DaemonInfo, devRuntime: string): string | undefined {
  if (runtimes.includes(devRuntime)) return undefined;
  const known = runtimes.join(", ");
  return `The Docker daemon has no runtime ${devRuntime} for the profile dev (it has: ${known}). Add it under "runtimes" in the daemon's daemon.json and restart the daemon, or set docker-dev-runtime to one that it has.`;
}
