import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { mayUseFuse } from "@handrail/channels/testing/may-use-fuse";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

const SANDBOXD = join(import.meta.dirname, "../../dist/sandboxd");
const BYTES = 16 * 1024 ** 2;
const OWNER = 4321;

const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("Files that a keeper serves are not tested: that takes root.\n");

let volume: string;
beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), "handrail-keeper-"));
  execFileSync("mount", ["--bind", volume, volume]);
});
afterEach(() => {
  execFileSync("umount", ["--recursive", "--lazy", volume]);
  rmSync(volume, { recursive: true, force: true });
});

const mounted = () => readFileSync("/proc/self/mounts", "utf8").split("\n");
const isMounted = (path: string) => mounted().some((line) => line.split(" ")[1] === path);
const inDisk = (...path: readonly string[]) => join(volume, "disk", ...path);
const sh = (script: string, ...args: readonly string[]) =>
  execFileSync("sh", ["-c", `exec 2>&1; ${script} || true`, "sh", ...args], { encoding: "utf8" });

/** The program as a server starts it. */
function start(...more: readonly string[]) {
  const child = spawn(SANDBOXD, ["keep", "--directory", volume, "--bytes", String(BYTES), ...more], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async () => String((await lines.next()).value);
  const ended = once(child, "exit");
  return {
    said,
    ended,
    release: async () => {
      child.stdin.end();
      return said();
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

describe.skipIf(!asRoot || !mayUseFuse("What a keeper serves"))("files that a keeper serves", () => {
  test("are made with directories of their owner, and hold no more than the bound", async () => {
    const names = { passwd: "agent:x:4321:4321::/home:/bin/sh\n", group: "agent:x:4321:\n" };
    const { said, release } = start("--owner", String(OWNER), "--names", JSON.stringify(names));
    expect(await said()).toBe("ready");
    const owners = ["", "workspace", "state", "state/home"].map((name) => {
      const { uid, gid, mode } = statSync(inDisk(name));
      return `${name} ${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
    });
    expect(owners).toEqual([" 0:0 755", "workspace 4321:4321 755", "state 4321:4321 700", "state/home 4321:4321 700"]);
    expect(sh('head -c 20M /dev/zero > "$1"', inDisk("workspace/large"))).toMatch(/No space left on device/);
    expect(await release()).toBe("released");
    const [passwd, group] = ["passwd", "group"].map((name) => readFileSync(join(volume, "names", name), "utf8"));
    expect({ passwd, group }).toEqual(names);
    expect(statSync(join(volume, "files/workspace/large")).size).toBeLessThanOrEqual(BYTES);
  });

  test("stay with who has them when they are released, and the keeper ends with the last one", async () => {
    const held = mkdtempSync(join(tmpdir(), "handrail-held-"));
    const { said, release, ended } = start("--owner", "0");
    await said();
    execFileSync("mount", ["--bind", inDisk("workspace"), held]);
    await release();
    expect(isMounted(inDisk())).toBe(false);
    expect(sh('echo kept > "$1/file"; cat "$1/file"', held)).toBe("kept\n");
    execFileSync("umount", [held]);
    rmSync(held, { recursive: true });
    expect(await ended).toEqual([0, null]);
    const next = start();
    expect(await next.said()).toBe("ready");
    expect(readFileSync(inDisk("workspace/file"), "utf8")).toBe("kept\n");
  });

  test("are made anew when that is wished", async () => {
    const first = start("--owner", "0");
    await first.said();
    sh('echo begun > "$1"', inDisk("workspace/file"));
    await first.release();
    await first.ended;
    const next = start("--owner", "0");
    expect(await next.said()).toBe("ready");
    expect(existsSync(inDisk("workspace/file"))).toBe(false);
  });

  test("are mounted again where one that was killed left them, and a helper takes that away too", async () => {
    const first = start("--owner", "0");
    await first.said();
    await first.kill();
    expect(sh('ls "$1"', inDisk())).toMatch(/not connected/);
    const next = start();
    expect(await next.said()).toBe("ready");
    expect(mounted().filter((line) => line.includes(` ${inDisk()} `)).length).toBe(1);
    await next.kill();
    const request = { id: 7, type: "release", volumes: ["v"], forget: false };
    mkdirSync(join(volume, "v"));
    execFileSync("mount", ["--move", inDisk(), join(volume, "v")]);
    mkdirSync(join(volume, "volumes/v/disk"), { recursive: true });
    execFileSync("mount", ["--move", join(volume, "v"), join(volume, "volumes/v/disk")]);
    const input = `${JSON.stringify(request)}\n`;
    const output = execFileSync(SANDBOXD, ["disks", "--volumes", join(volume, "volumes")], { input, encoding: "utf8" });
    expect(output).toBe('{"id":7}\n');
    expect(isMounted(join(volume, "volumes/v/disk"))).toBe(false);
  });

  test("that are not there are not served, and it is said why", async () => {
    const { said, ended } = start();
    expect(JSON.parse(await said())).toEqual({
      id: 0,
      code: "sandbox_failed",
      message: "The workspace is not on the daemon's machine any more.",
    });
    expect(await ended).toEqual([1, null]);
    mkdirSync(join(volume, "files"));
    const served = start();
    expect(await served.said()).toBe("ready");
    await served.release();
  });
});
