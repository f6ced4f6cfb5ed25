import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DockerClient } from "../docker/docker-client.ts";
import type { RootRecipe } from "./build-root.ts";
import { buildRoot } from "./build-root.ts";

/** Debian 13, whose Docker is 26.1. */
const SUITE = "trixie";
const PACKAGES = ["ca-certificates", "docker.io", "iptables", "libcap2-bin", "rootlesskit", "uidmap"];
const SOURCE = join(import.meta.dirname, "../../../../deploy/images/dind");
/** Programs that a container of it may be started with: the first as root, the other as `ROOTLESS_USER`. */
const PROGRAMS = ["handrail-dind", "handrail-dind-rootless"];
const INSIDE = "/usr/local/bin";
const REPOSITORY = "handrail/dind";
const CHANGES = [`ENTRYPOINT ["${INSIDE}/handrail-dind"]`];

/**
 * The id of the user and the group that a rootless daemon runs as. Debian gives it to nobody, nor does it give anybody those
 * of the daemon's users, which have to be 65,536 in one range.
 */
export const ROOTLESS_USER = 65_600;
const FIRST_SUBORDINATE = 1_700_000_000;
const ROOTLESS = [
  `groupadd --gid ${ROOTLESS_USER} rootless`,
  `useradd --uid ${ROOTLESS_USER} --gid ${ROOTLESS_USER} --no-create-home --home-dir / --shell /usr/sbin/nologin rootless`,
  ...["subuid", "subgid"].map((name) => `echo rootless:${FIRST_SUBORDINATE}:65536 > /etc/${name}`),
  // Set-user-ID programs would be a way to root of the container; and newuidmap, as one, would take SYS_ADMIN.
  "find / -xdev -type f -perm /6000 -exec chmod a-s {} +",
  "setcap cap_setuid=ep /usr/bin/newuidmap",
  "setcap cap_setgid=ep /usr/bin/newgidmap",
  // A volume that is made for it belongs to whom this belongs to.
  "install --directory --owner rootless --group rootless /var/lib/handrail-docker",
].join(" && ");

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

/** What a rootless daemon's container needs: its own root is root of a user namespace alone. */
export const ROOTLESS_CAPABILITIES = ["SETGID", "SETUID"];

/** Its daemon may mount nothing but FUSE, which bounds workspaces. */
export const ROOTLESS_DEVICES = ["/dev/fuse"];

export type DindBuild = {
  readonly cacheDirectory: string;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

/**
 * The reference of the image of a Docker daemon in a container, after it was built if `client`'s daemon did not have
 * it: Debian's own Docker, and the programs that prepare the container for it, as root and as a plain user.
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
    ...PROGRAMS.map((name) => `--customize-hook=copy-in ${join(SOURCE, name)} ${INSIDE}`),
    `--customize-hook=chroot "$1" sh -c '${ROOTLESS}'`,
    SUITE,
    tarFile,
  ];
  // Where the checkout is must not make another image.
  const texts = PROGRAMS.map((name) => readFileSync(join(SOURCE, name), "utf8"));
  const words = JSON.stringify([SUITE, PACKAGES, ROOTLESS, CHANGES, ...texts]);
  const tag = createHash("sha256").update(words).digest("hex").slice(0, 12);
  return { name: "dind", title: "the image of the Docker daemon", tag, arguments: argumentsFor };
}
