import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { quietEnvironment } from "./config.ts";

const run = promisify(execFile);
const HERE = import.meta.dirname;
const TIMEOUT_MS = 170_000;

/** What a client's driver printed: results by upstream and scenario. */
export type ClientResults = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Runs a driver beside this file with packages of `nodePackages` or `pythonPackages`. */
export async function runClient(driver: string, packages: string, settings: object): Promise<ClientResults> {
  const home = await mkdtemp(path.join(tmpdir(), "handrail-client-"));
  try {
    const [program, file] = driver.endsWith(".py")
      ? [path.join(packages, "bin/python"), path.join(HERE, driver)]
      : [process.execPath, await besidePackages(driver, packages)];
    const flags = driver.endsWith(".py") ? ["-B"] : [];
    const { stdout } = await run(program, [...flags, file, JSON.stringify(settings)], {
      cwd: home,
      env: quietEnvironment(home),
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      maxBuffer: 16 * 1024 * 1024,
    });
    return JSON.parse(stdout.slice(stdout.indexOf("{"))) as ClientResults;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Node finds packages from where a file lies. */
async function besidePackages(driver: string, packages: string): Promise<string> {
  const directory = path.join(packages, `drivers.${process.pid}`);
  await mkdir(directory, { recursive: true });
  for (const name of [driver, "scenarios.mjs"]) await copyFile(path.join(HERE, name), path.join(directory, name));
  return path.join(directory, driver);
}
