// npm test: prepares as npm start does, checks, and runs every suite. Plain JavaScript for any Node from 20 on.
// The last line is the sum over all suites. Exits 1 when anything failed or did not run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureBuilds } from "./lib/builds.mjs";
import { ensureDocker } from "./lib/docker.mjs";
import { ensureFuse } from "./lib/fuse-device.mjs";
import { ensureModules } from "./lib/node-modules.mjs";
import { runAsPlainUser } from "./lib/plain-user.mjs";
import { progress } from "./lib/progress.mjs";
import { exitCode } from "./lib/run.mjs";
import { runSuite, sumLine } from "./lib/suites.mjs";
import { BASE_PACKAGES, ensureSystemPackages, TEST_PACKAGES } from "./lib/system-packages.mjs";

const CHECKS = [
  ["format", "oxfmt", ["--check", "."]],
  ["lint", "oxlint", ["--type-aware", "--deny-warnings"]],
  ["types", "node", ["scripts/types.ts"]],
  ["layers", "node", ["scripts/check-layers.ts"]],
];

/**
 * What vitest runs at once: its projects, and after how long that is cut off: about twice what it takes on two cores (2 and 18
 * minutes), so that a suite that hangs ends, and a slow machine still comes to its end. `unit` needs no image, nor does the one
 * that runs as a plain user.
 */
const UNIT = { projects: ["unit"], withinMs: 8 * 60_000 };
const AS_PLAIN_USER = { withinMs: 5 * 60_000 };
const WITH_IMAGES = { projects: ["system", "e2e"], withinMs: 30 * 60_000 };

/** What tests start containers from, made beforehand: that takes a minute or two each, once. */
const IMAGES = {
  sandbox: "deploy/images/sandbox/build-image.ts",
  dind: "deploy/images/dind/build-image.ts",
  containerd: "packages/sandboxes/src/testing/prepare-containerd.ts",
};

const reports = mkdtempSync(path.join(tmpdir(), "handrail-test-"));
// Also where a signal ends it.
process.once("exit", () => rmSync(reports, { recursive: true, force: true, maxRetries: 10 }));
const results = [];
ensureFuse();
// Fetching takes half of the time that packages and images take: what needs neither is done meanwhile.
const docker = ensureSystemPackages([...BASE_PACKAGES, ...TEST_PACKAGES]).then(ensureDocker);
await ensureModules();
const images = docker.then(ensureImages);
await ensureBuilds();
for (const [name, command, args] of CHECKS) results.push(await check(name, command, args));
await docker;
results.push(await runSuite({ ...UNIT, reports }));
results.push(...(await runAsPlainUser({ ...AS_PLAIN_USER, reports })));
await images;
results.push(await runSuite({ ...WITH_IMAGES, reports }));
process.exitCode = results.some(({ failed }) => failed > 0) ? 1 : 0;
for (const failure of results.flatMap(({ failures }) => failures)) process.stdout.write(`FAILED ${failure}\n`);
process.stdout.write(`${sumLine(results)}\n`);

/**
 * For Docker and for containerd, whose image is made of the same tree as the default one of Docker. One that cannot be
 * built fails, or skips, the tests that need it.
 */
async function ensureImages({ ok, detail }) {
  progress(detail);
  if (!ok) progress("Tests that need a Docker daemon are skipped.");
  const ensure = (program) => exitCode("node", [program], {}, ["ignore", 2, 2]);
  const forSandboxes = async () => {
    if (ok) await ensure(IMAGES.sandbox);
    await ensure(IMAGES.containerd);
  };
  await Promise.all([forSandboxes(), ok && ensure(IMAGES.dind)]);
}

/** A check counts as one test. */
async function check(name, command, args) {
  const ok = (await exitCode(command, args)) === 0;
  process.stdout.write(`${name}: ${ok ? "passed" : "FAILED"}\n`);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, failures: ok ? [] : [name] };
}
