// Plain JavaScript for any Node from 20 on: it runs before the pinned one is there.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { exitCode, ROOT } from "./run.mjs";
import { progress } from "./progress.mjs";

/** Installs what package-lock.json names, where it is not installed already. Ends the process when that fails. */
export async function ensureModules() {
  const missing = missingPackage();
  if (missing === undefined) return;
  progress(`Installing packages (${missing}). This takes a minute, once.`);
  const code = await exitCode("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {}, ["ignore", 2, 2]);
  const still = code === 0 ? missingPackage() : `npm ci ended with code ${code}`;
  if (still === undefined) return;
  progress(`Installing failed: ${still}. Check the network, then try again.`);
  process.exit(1);
}

/**
 * Why node_modules is not what package-lock.json asks for; undefined when it is. npm keeps a lockfile of what it has
 * installed in node_modules; packages for other platforms are in the one and not in the other.
 */
function missingPackage() {
  const wanted = packagesIn("package-lock.json");
  const installed = packagesIn("node_modules/.package-lock.json");
  if (wanted === undefined) return "package-lock.json cannot be read";
  if (installed === undefined || !existsSync(path.join(ROOT, "node_modules/node/bin/node")))
    return "none are installed";
  const differs = ([place, { version, optional }]) =>
    place.startsWith("node_modules/") &&
    installed[place]?.version !== version &&
    !(optional === true && installed[place] === undefined);
  const found = Object.entries(wanted).find(differs);
  return found && `${found[0].slice("node_modules/".length)} is not the one that is wanted`;
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(path.join(ROOT, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}
