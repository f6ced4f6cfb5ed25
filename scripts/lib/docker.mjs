// Plain JavaScript for any Node from 20 on: it runs before the pinned one is there.
import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, mkdirSync, openSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const SOCKET = "/var/run/docker.sock";
const START_TIMEOUT_MS = 20_000;

/**
 * Makes sure that a Docker daemon answers: one that runs, or else, as root and with dockerd installed, one started here
 * that goes on after this process ends. `detail` is a sentence for people either way.
 *
 * @returns {Promise<{ ok: boolean, detail: string }>}
 */
export async function ensureDocker() {
  const address = process.env.DOCKER_HOST || `unix://${SOCKET}`;
  const version = await daemonVersion(address);
  if (version !== undefined) return { ok: true, detail: `Docker ${version} answers at ${address}.` };
  if (process.env.DOCKER_HOST) return { ok: false, detail: `No Docker daemon answers at ${address} (DOCKER_HOST).` };
  if (process.getuid?.() !== 0) return { ok: false, detail: "No Docker daemon answers, and only root can start one." };
  const program = onPath("dockerd");
  if (program === undefined) return { ok: false, detail: "Docker is not installed (apt-get install docker.io)." };
  return startDaemon(program, address);
}

async function startDaemon(program, address) {
  const log = join(tmpdir(), "handrail-dockerd.log");
  mkdirSync("/var/run", { recursive: true });
  const output = openSync(log, "a");
  const child = spawn(program, [], { detached: true, stdio: ["ignore", output, output], cwd: "/" });
  closeSync(output);
  const exited = new AbortController();
  child.on("error", () => exited.abort());
  child.on("exit", () => exited.abort());
  child.unref();
  for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end && !exited.signal.aborted; await delay(200)) {
    const version = await daemonVersion(address);
    if (version !== undefined) return { ok: true, detail: `Docker ${version} was started; its log is ${log}.` };
  }
  return { ok: false, detail: `dockerd did not start; see ${log}.` };
}

/** The daemon's version, or undefined when none answers within 3 s. */
function daemonVersion(address) {
  return new Promise((resolve) => {
    const options = { ...endpoint(address), path: "/version", timeout: 3000, agent: false };
    const asked = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text) => (body += text));
      response.on("end", () => resolve(versionIn(body)));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

function endpoint(address) {
  if (address.startsWith("unix://")) return { socketPath: address.slice("unix://".length) };
  const url = new URL(address);
  return { host: url.hostname, port: Number(url.port || 2375) };
}

function versionIn(body) {
  try {
    return JSON.parse(body).Version;
  } catch {
    return undefined;
  }
}

function onPath(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
