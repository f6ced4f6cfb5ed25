import { createHash } from "node:crypto";
import { INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";

const SUITE = "bookworm";

const PACKAGES = [
  "bash",
  "build-essential",
  "ca-certificates",
  "coreutils",
  "curl",
  "file",
  "git",
  "jq",
  "less",
  "make",
  "nodejs",
  "npm",
  "openssh-client",
  "patch",
  "procps",
  "python3",
  "python3-pip",
  "python3-venv",
  "ripgrep",
  "unzip",
  "xz-utils",
];

/** What nobody reads in a sandbox. */
const LEFT_OUT = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*"];

const USER = [
  `chroot "$1" groupadd --gid ${SANDBOX_UID} agent`,
  `chroot "$1" useradd --uid ${SANDBOX_UID} --gid ${SANDBOX_UID} --no-create-home --home-dir ${INSIDE.home} --shell /bin/bash agent`,
];

/** Dockerfile instructions for the image of the root file system. */
export const IMAGE_CHANGES = ['CMD ["bash"]', "ENV LANG=C.UTF-8"];

export const IMAGE_REPOSITORY = "handrail/sandbox";

/** Arguments of mmdebstrap that write the default image's root file system to `tarFile`. */
export function recipeArguments(tarFile: string): string[] {
  return [
    "--variant=minbase",
    "--format=tar",
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...USER.map((command) => `--customize-hook=${command}`),
    `--include=${PACKAGES.join(",")}`,
    SUITE,
    tarFile,
  ];
}

/** The tag of the image that the recipe makes: 12 hexadecimal digits that change with any of its words. */
export function recipeTag(): string {
  const words = [...recipeArguments(""), ...IMAGE_CHANGES];
  return createHash("sha256").update(JSON.stringify(words)).digest("hex").slice(0, 12);
}
