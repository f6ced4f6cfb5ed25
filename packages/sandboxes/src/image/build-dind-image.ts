import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DockerClient } from "../docker/docker-client.ts";
import type { RootRecipe } from "./build-root.ts";
import { buildRoot } from "./build-root.ts";

/** Debian 13, whose Docker is 26.1. */
const SUITE = "trixie";
const PACKAGES = ["ca-certificates", "docker.io", "iptables"];
const ENTRYPOINT = join(import.meta.dirname, "../../../../deploy/images/dind/handrail-dind");
const INSIDE = "/usr/local/bin/handrail-dind";
const REPOSITORY = "handrail/dind";
const CHANGES = [`ENTRYPOINT ["${INSIDE}"]`];

/**
 * What the container of a daemon needs so that sandboxes can be made in it: not more, and not `--privileged`. KILL ends
 * processes of other users, SETPCAP empties the set of capabilities that a sandbox could ever get, MKNOD unpacks images
 * that hold device files, FSETID is one of root in the profile dev; `docs/guide/install.md` lists the others.
 */
export const DIND_CAPABILITIES = [
  ...(["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"] as const),
  ...(["SETGID", "SETUID", "SETPCAP", "SYS_CHROOT"] as const),
  ...(["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"] as const),
];

/** Its daemon bounds workspaces by file systems in files: loop devices, and what hands them out (the kernel's devices.txt). */
export const DIND_DEVICES = ["b 7:* rw", "c 10:237 rw"];

export type DindBuild = {
  readonly cacheDirectory: string;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

/**
 * The reference of the image of a Docker daemon in a container, after it was built if `client`'s daemon did not have
 * it: Debian's own Docker, and the program that prepares the container for it.
 * @throws AppError `image_unavailable`, `backend_unavailable`; the signal's reason when aborted
 */
export async function buildDindImage(client: DockerClient, build: DindBuild): Promise<string> {
  const recipe = dindRecipe();
  const reference = `${REPOSITORY}:${recipe.tag}`;
  if ((await client.findImage(reference)) !== undefined) return reference;
  const tarFile = await buildRoot({ ...build, recipe });
  await client.importImage(createReadStream(tarFile), REPOSITORY, recipe.tag, CHANGES);
  return reference;
}

function dindRecipe(): RootRecipe {
  const argumentsFor = (tarFile: string) => [
    "--variant=minbase",
    "--format=tar",
    ...["man", "doc", "info", "locale"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    `--include=${PACKAGES.join(",")}`,
    `--customize-hook=copy-in ${ENTRYPOINT} /usr/local/bin`,
    SUITE,
    tarFile,
  ];
  // Where the checkout is must not make another image.
  const words = JSON.stringify([SUITE, PACKAGES, CHANGES, readFileSync(ENTRYPOINT, "utf8")]);
  const tag = createHash("sha256").update(words).digest("hex").slice(0, 12);
  return { name: "dind", title: "the image of the Docker daemon", tag, arguments: argumentsFor };
}
