// Plain JavaScript for any Node from 20 on.
import { chmodSync, chownSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import path from "node:path";
import { progress } from "./progress.mjs";
import { exitCode, ROOT } from "./run.mjs";
import { runSuite } from "./suites.mjs";

const NAME = "as a plain user";

/** Tests of process sandboxes: those of the backend, and what attacks them. */
const FILES = [
  "packages/sandboxes/src/process/process-backend.system.test.ts",
  "packages/sandboxes/src/process/process-isolation.system.test.ts",
  "packages/sandboxes/src/process/process-garbage.system.test.ts",
  "e2e/src/hostile.test.ts",
  "e2e/src/attacks/inside.test.ts",
];

/** One without a name, and of no group but its own. */
const USER = 12_345;

/** What that user sees as /tmp. */
const TMP = "/tmp";
const REPOSITORY = `${TMP}/repository`;
const HOME = `${TMP}/home`;
const KEPT_VARIABLES = ["LANG", "TERM", "CI", "NO_COLOR", "FORCE_COLOR"];

/** Mounts and processes that end with the first of them, whatever it has started. */
const NAMESPACES = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];

/**
 * Shows the project (`$1`) where everybody can enter and nobody can write, and the directory around that place (`$2`) as
 * /tmp. The shell stays as the first process, which has to wait for orphans.
 */
const ENTER = `mount --rbind "$1" "$2/repository" && mount -o remount,bind,ro "$2/repository" && mount --rbind "$2" ${TMP} &&
cd ${REPOSITORY} || exit 125
shift 2; setpriv --reuid=${USER} --regid=${USER} --clear-groups -- "$@"; exit $?`;

/**
 * The suites of process sandboxes once more, as a plain user, since what holds them differs from root's. Gives a list of
 * counts as `runSuite` does: an empty one where everything runs as a plain user anyway. `reports` is a directory for what
 * the suite writes.
 */
export async function runAsPlainUser({ reports, withinMs, files = FILES }) {
  if (process.getuid?.() !== 0) return [];
  const user = plainUser(path.join(reports, "plain-user"));
  try {
    const [command, ...args] = [...user.within, "test", "-r", "package.json"];
    if ((await exitCode(command, args, {}, ["ignore", 2, 2])) !== 0) return [notTested()];
    const suite = { name: NAME, projects: ["system", "e2e"], files, withinMs };
    return [await runSuite({ ...suite, reports: user.tmp, place: user })];
  } finally {
    user.dispose();
  }
}

/**
 * A place for suites in which they run as a plain user. Its /tmp is the directory `tmp`, which is made, with the project and a home
 * in it. `dispose` takes the directory away.
 */
export function plainUser(tmp) {
  const shown = path.join(tmp, "repository");
  const home = path.join(tmp, "home");
  for (const directory of [shown, home]) mkdirSync(directory, { recursive: true });
  chmodSync(tmp, 0o1777);
  chownSync(home, USER, USER);
  return {
    tmp,
    within: ["unshare", ...NAMESPACES, "--", "sh", "-c", ENTER, "sh", ROOT, tmp],
    root: REPOSITORY,
    reports: TMP,
    environment: environmentOfUser(),
    // Its configuration cannot be compiled beside it, where nobody can write.
    options: ["--configLoader=native"],
    prefix: `${NAME}: `,
    dispose: () => {
      // Throws where it is not empty: then it is the project itself.
      rmdirSync(shown);
      rmSync(tmp, { recursive: true, force: true });
    },
  };
}

function environmentOfUser() {
  const kept = KEPT_VARIABLES.filter((name) => process.env[name] !== undefined);
  const path = `${REPOSITORY}/node_modules/.bin:${process.env.PATH ?? ""}`;
  return { ...Object.fromEntries(kept.map((name) => [name, process.env[name]])), PATH: path, HOME, TMPDIR: TMP };
}

function notTested() {
  progress("Process sandboxes of a plain user are not tested: it takes unshare, setpriv and files that all may read.");
  return { passed: 0, failed: 0, skipped: 1, failures: [] };
}
