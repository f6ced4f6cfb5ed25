// npm start: installs what is missing, builds what is stale, and becomes the server. Plain JavaScript for any Node from
// 20 on. Arguments are the server's. Progress goes to stderr; stdout has the server's one line.
import { spawn } from "node:child_process";
import path from "node:path";
import { ensureBuilds } from "./lib/builds.mjs";
import { ensureModules } from "./lib/node-modules.mjs";
import { environment, ROOT } from "./lib/run.mjs";
import { BASE_PACKAGES, ensureSystemPackages } from "./lib/system-packages.mjs";

const SAME_PRESS_MS = 100;
const args = process.argv.slice(2);

await ensureModules();
if (!args.includes("--help")) {
  await ensureSystemPackages(BASE_PACKAGES);
  await ensureBuilds();
}
process.exit(await server());

/**
 * Runs the server to its end. It has a process group of its own: a terminal sends Ctrl-C to a whole group, npm passes
 * it on once more, and the server must see one press once. The channel to it ends with this process, however that ends,
 * and then the server does.
 */
function server() {
  const node = path.join(ROOT, "node_modules/node/bin/node");
  const main = path.join(ROOT, "packages/server/src/main.ts");
  const child = spawn(node, [main, ...args], {
    env: environment(),
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    detached: true,
  });
  let lastAt = -Infinity;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (performance.now() - lastAt > SAME_PRESS_MS) child.kill(signal);
      lastAt = performance.now();
    });
  }
  return new Promise((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 1));
  });
}
