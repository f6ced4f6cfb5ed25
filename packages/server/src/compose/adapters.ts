import { join } from "node:path";
import type { HeldLock } from "@handrail/sandboxes/labels/makers";
import { demoRepositoryDirectory } from "@handrail/scripted-model/demo";
import type { Config } from "../config.ts";
import type { BackendLoaders } from "./backends.ts";
import type { LazyEgress } from "./egress.ts";

/** Where the demo's repository is. */
export const demoDirectory: string = demoRepositoryDirectory;

const SANDBOXD_DIRECTORY = join(import.meta.dirname, "../../../sandboxd/dist");

/** What tells apart what servers make. */
type Named = {
  /** As of `openInstallation`. */
  readonly installation: string;
  /** This process's lock on the state directory; undefined: it has none. */
  readonly held?: HeldLock | undefined;
};

/** How each backend of this server is made, each when it is first needed. */
export function backendLoaders(config: Config, { installation, held }: Named, egress: LazyEgress): BackendLoaders {
  const { home, sandbox } = config;
  const { cpus, memoryBytes, processes, diskBytes, image, docker, containerd } = sandbox;
  const common = {
    installation,
    held,
    sandboxdDirectory: SANDBOXD_DIRECTORY,
    limits: { cpus, memoryBytes, processes, diskBytes },
  };
  const local = async () => ({ ...common, directory: join(home, "sandboxes"), egress: await egress() });
  return {
    async docker() {
      const { dockerBackend } = await import("@handrail/sandboxes/docker/docker-backend");
      const directory = join(home, "docker");
      const own = { directory, egress: await egress(), defaultImage: image, containers: sandbox.containers };
      return dockerBackend({ ...common, ...docker, ...own });
    },
    async process() {
      const { processBackend } = await import("@handrail/sandboxes/process/process-backend");
      return processBackend({ ...(await local()), containers: sandbox.containers, fuse: sandbox.processFuse });
    },
    ...((sandbox.backend === "containerd" || containerd.address !== undefined) && {
      async containerd() {
        const { containerdBackend } = await import("@handrail/sandboxes/containerd/containerd-backend");
        return containerdBackend({
          ...(await local()),
          ...containerd,
          directory: join(home, "containerd"),
          defaultImage: image,
          containers: sandbox.containers,
        });
      },
    }),
    ...(sandbox.backend === "none" && {
      async none() {
        const { noneBackend } = await import("@handrail/sandboxes/none/none-backend");
        return noneBackend({ ...(await local()), directory: join(home, "unsandboxed") });
      },
    }),
  };
}
