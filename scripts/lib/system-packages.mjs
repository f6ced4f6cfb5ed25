// Plain JavaScript for any Node from 20 on: it runs before the pinned one is there.
import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { progress } from "./progress.mjs";

const APT_WITHIN_MS = 10 * 60_000;
const LOG = path.join(tmpdir(), `handrail-apt-${process.pid}.log`);

/** What the server itself uses. */
export const BASE_PACKAGES = [
  { package: "git", program: "git", without: "repositories cannot be cloned, and results only be taken as patches." },
  { package: "bubblewrap", program: "bwrap", without: "process sandboxes do not work; Docker ones do." },
];

/** What the tests use beside that. */
export const TEST_PACKAGES = [
  { package: "docker.io", program: "dockerd", without: "tests that need a Docker daemon are skipped." },
  { package: "containerd", program: "containerd", without: "containerd sandboxes are not tested." },
  {
    package: "containernetworking-plugins",
    program: "/usr/lib/cni/loopback",
    without: "containerd sandboxes are not tested.",
  },
  { package: "podman", program: "podman", without: "sandboxes of Podman are not tested." },
  {
    package: "catatonit",
    program: "/usr/libexec/podman/catatonit",
    without: "sandboxes of Podman are not tested.",
  },
  {
    package: "musl",
    program: `/lib/ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
    without: "images with musl are not tested.",
  },
  { package: "busybox-static", program: "busybox", without: "images with musl are not tested." },
  {
    package: "openssh-server",
    program: "sshd",
    without: "a Docker daemon behind ssh is not tested.",
  },
  {
    package: "runsc",
    program: "runsc",
    without: "Docker sandboxes with a kernel of their own (gVisor) are not tested.",
  },
  { package: "chromium", program: "chromium", without: "tests in a browser are skipped." },
  { package: "mmdebstrap", program: "mmdebstrap", without: "the default image cannot be built." },
  { package: "debootstrap", program: "debootstrap", without: "images cannot be built without mmdebstrap." },
  {
    package: "python3-pip",
    program: "pip3",
    without: "the API is not fuzzed, and there is no real repository to work on.",
  },
  { package: "postgresql", program: "pg_createcluster", without: "the gateway's books in PostgreSQL are not tested." },
  {
    package: "redis-server",
    program: "redis-server",
    without: "the gateway's cache and limits in Redis are not tested.",
  },
  // It has no program of its own; where pip is there, so it is, or another Python that has both.
  { package: "python3-venv", program: "pip3", without: "the API is not fuzzed." },
];

/**
 * Makes sure that programs of the system are there; as root with apt-get they are installed. What stays missing is
 * said with what it costs. Gives the names of the Debian packages that are missing at the end.
 *
 * @param {readonly { package: string, program: string, without: string }[]} wanted
 */
export async function ensureSystemPackages(wanted) {
  const absent = wanted.filter(({ program }) => !isOnPath(program));
  if (absent.length === 0) return [];
  if (process.getuid?.() === 0 && isOnPath("apt-get")) await install(absent.map((entry) => entry.package));
  const missing = absent.filter(({ program }) => !isOnPath(program));
  for (const { package: name, without } of missing) progress(`${name} is not installed: ${without}`);
  return missing.map((entry) => entry.package);
}

async function install(names) {
  progress(`Installing ${names.join(", ")}.`);
  if (names.includes("openssh-server")) leaveSshdOff();
  await apt(["update"]);
  const code = await apt(["install", "-y", "--no-install-recommends", ...names]);
  if (code !== 0) progress(`apt-get ended with code ${code}; see ${LOG}.`);
}

/** Debian would start it for the whole machine: the tests start their own, on a port of the loopback. See its README.Debian. */
function leaveSshdOff() {
  mkdirSync("/etc/ssh", { recursive: true });
  writeFileSync("/etc/ssh/sshd_not_to_be_run", "");
}

function apt(args) {
  const output = openSync(LOG, "a");
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn("apt-get", ["-q", ...args], {
    stdio: ["ignore", output, output],
    env: environment,
    timeout: APT_WITHIN_MS,
  });
  closeSync(output);
  return new Promise((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** Whether a program is on the path, or where Debian puts what only root runs. A whole path is looked at as it is. */
export function isOnPath(program) {
  const folders = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(path.resolve(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
