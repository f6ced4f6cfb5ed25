#!/usr/bin/env node
// Plain JavaScript for any Node from 20 on: finds the Node that Handrail is made for and goes on with it.
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(realpathSync(fileURLToPath(import.meta.url))), "../../..");
const node = path.join(root, "node_modules/node/bin/node");
const main = path.join(root, "packages/cli/src/main.ts");
const gateway = path.join(root, "packages/gateway/bin/gateway.mjs");
// The space for young objects would grow to 64 MB twice over, and stay. Only a flag before the start holds it.
const young = "--max-semi-space-size=16";

if (Number(process.versions.node.split(".")[0]) < 20)
  fail(`Node.js 20 or newer is needed; this is ${process.version}.`);
if (!existsSync(node)) fail(`Handrail is not installed yet. Run this once: npm ci --prefix ${root}`);

// Where one process can become another, none stays that only waits. The gateway then needs nothing of the terminal program.
if (process.execve) {
  const [command, ...options] = process.argv.slice(2);
  const args = command === "gateway" ? [young, gateway, ...options] : [main, ...process.argv.slice(2)];
  process.execve(node, [node, ...args]);
}

const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
// A terminal sends its signals to both; the child takes two at the same instant for one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => fail(`${node} does not start: ${error.message}`));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
