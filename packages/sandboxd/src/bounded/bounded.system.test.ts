import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { mayUseFuse } from "@handrail/channels/testing/may-use-fuse";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

const SANDBOXD = join(import.meta.dirname, "../../dist/sandboxd");
const ACT = join(import.meta.dirname, "../testing/act-on-files.ts");
const MIB = 1024 ** 2;
const PATIENCE = { timeout: 10_000 };

let place: string;
let files: string;
let target: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "handrail-bounded-"));
  [files, target] = [join(place, "files"), join(place, "target")];
  for (const directory of [files, target]) mkdirSync(directory);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const USERS = ["--user", "--map-root-user", "--mount", "--propagation", "private", "--"];

/** Serves the files; what is run with it sees them at the target. */
async function serve(bytes: number) {
  const words = [...USERS, SANDBOXD, "bound", "--directory", files, "--bytes", String(bytes), "--mount", target];
  const server = spawn("unshare", words, { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  server.stderr.on("data", (text) => (said += String(text)));
  const ended = once(server, "exit");
  onTestFinished(() => void server.kill("SIGKILL"));
  const [first] = (await Promise.race([once(server.stdout, "data"), ended])) as unknown[];
  if (String(first) !== "ready\n") throw new Error(`It ended with ${String(first)}. ${said}`);
  const enter = ["--target", String(server.pid), "--user", "--mount", "--preserve-credentials", "--"];
  const within = (...command: readonly string[]) => ["nsenter", ...enter, ...command] as const;
  return {
    server,
    ended,
    /** A shell's output, at the target. */
    run: (script: string) => {
      const [program, ...args] = within("sh", "-c", `cd "$0" && { ${script}; } 2>&1; true`, target);
      return execFileSync(program, args, { encoding: "utf8" }).trimEnd();
    },
    /** A shell that goes on until its standard input ends. */
    hold: (script: string): ChildProcess => {
      const [program, ...args] = within("sh", "-c", `cd "$0"; ${script}; echo up; read -r _`, target);
      return spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    },
    act: (seed: number, count: number) => {
      const [program, ...args] = within(process.execPath, ACT, target, String(seed), String(count));
      return promisify(execFile)(program, args, { maxBuffer: 64 * MIB });
    },
  };
}

/** What a file system says of its space, in KiB. */
const usedOf = (df: string) => Number(df.split("\n").at(-1));
const USED = "df --output=used . | tail -1";

describe.skipIf(!mayUseFuse("A directory that is served within a bound"))(
  "a directory that is served within a bound",
  () => {
    test.each([1, 2, 3, 4])("is what a plain directory is, whatever is done to its files (%d)", async (seed) => {
      const { act } = await serve(500 * MIB);
      const plain = mkdtempSync(join(place, "plain-"));
      const args = ["--user", "--map-root-user", "--", process.execPath, ACT, plain, String(seed), "3000"];
      const [served, expected] = await Promise.all([
        act(seed, 3000),
        promisify(execFile)("unshare", args, { maxBuffer: 64 * MIB }),
      ]);
      expect(JSON.parse(served.stdout)).toEqual(JSON.parse(expected.stdout));
    });

    test("takes no more than its bound, and what goes can be used again", async () => {
      const { run } = await serve(8 * MIB);
      expect(run("head -c 20M /dev/zero > full; stat -c %s full").split("\n")[0]).toMatch(/No space left on device$/);
      const size = Number(run("stat -c %s full"));
      expect(size).toBeGreaterThan(7 * MIB);
      expect(size).toBeLessThanOrEqual(8 * MIB);
      expect(run(`head -c ${size} /dev/urandom | dd of=full conv=notrunc status=none; stat -c %s full`)).toBe(
        String(size),
      );
      expect(run("fallocate -l 4M more; mkdir -p sub; head -c 1M /dev/zero > sub/more")).toMatch(/No space left/);
      expect(run("rm full; head -c 4M /dev/zero > again; stat -c %s again")).toBe(String(4 * MIB));
    });

    test("takes no more where holes of a file are filled behind whose end space is set aside", async () => {
      const { run } = await serve(8 * MIB);
      const full = "dd if=/dev/zero of=file bs=64K count=96 conv=notrunc,fsync status=none";
      expect(run(`truncate -s 6M file; fallocate -n -o 6M -l 6M file; ${full}`)).toMatch(/No space left on device$/);
      expect(Number(run("stat -c %b file")) * 512).toBeLessThanOrEqual(8 * MIB);
    });

    test("has no room while files are so deep that they cannot be counted", async () => {
      const deep = "d".repeat(200);
      const down = `for n in $(seq 15); do mkdir -p ${deep}; cd ${deep}; done`;
      const once = async (script: string) => {
        const { run, server, ended } = await serve(32 * MIB);
        const output = run(script);
        server.stdin.end();
        await ended;
        return output;
      };
      await once(`top=$PWD; mkdir a b; (cd a; ${down}; echo x > file); (cd b; ${down}; mv $top/a .)`);
      expect(await once("echo more > more")).toMatch(/No space left on device$/);
      await once(`top=$PWD; (cd b; ${down}; mv a $top)`);
      expect(await once("echo more > more; cat more")).toBe("more");
    });

    test("counts a file once that has two names, and one without a name as long as it is open", async () => {
      const { run, hold } = await serve(64 * MIB);
      const before = usedOf(run(USED));
      expect(usedOf(run(`head -c 4M /dev/zero > a; ln a b; ${USED}`)) - before).toBeLessThan(4 * 1024 + 64);
      const holder = hold("exec 5< a; rm a b");
      await once(holder.stdout!, "data");
      expect(usedOf(run(USED)) - before).toBeGreaterThanOrEqual(4 * 1024);
      holder.stdin?.end();
      await once(holder, "close");
      await expect.poll(() => usedOf(run(USED)) - before, PATIENCE).toBeLessThan(64);
    });

    test("has as many names as a disk of its size has files, links among them", async () => {
      const { run } = await serve(MIB);
      expect(run("touch a; i=0; while ln a $i; do i=$((i + 1)); done; echo $i").split("\n").at(-1)).toBe("63");
      expect(run("rm 1; mkdir sub; ls | wc -l")).toBe("64");
    });

    test("counts what was there before, and is served again only once it is not any more", async () => {
      writeFileSync(join(files, "before"), Buffer.alloc(3 * MIB));
      const first = await serve(8 * MIB);
      expect(usedOf(first.run(USED))).toBeGreaterThanOrEqual(3 * 1024);
      await expect(serve(8 * MIB)).rejects.toThrow("The last sandbox still holds the workspace.");
      const next = serve(8 * MIB);
      first.server.stdin.end();
      expect((await next).run("stat -c %s before")).toBe(String(3 * MIB));
    });

    test("goes on for who has it when it is released, and ends with the last of them", async () => {
      const { server, ended, run, hold } = await serve(8 * MIB);
      const mounts = () => run(`grep -c " ${target} fuse " /proc/self/mounts`);
      const holder = hold("read -r _; echo late > file");
      expect(mounts()).toBe("1");
      server.stdin.end();
      await expect.poll(mounts, PATIENCE).toBe("0");
      holder.stdin?.write("\n");
      await once(holder.stdout!, "data");
      expect(readFileSync(join(files, "file"), "utf8")).toBe("late\n");
      holder.stdin?.end();
      expect(await ended).toEqual([0, null]);
    });

    test("loses nothing when who serves it is killed", async () => {
      const { server, ended, run, hold } = await serve(64 * MIB);
      run("git init -q . && for n in $(seq 200); do echo $n > f$n; done");
      const holder = hold("exec 5> open; echo written >&5");
      await once(holder.stdout!, "data");
      server.kill("SIGKILL");
      await ended;
      holder.stdin?.end();
      const next = await serve(64 * MIB);
      expect(next.run("cat f200 open; git status --short | wc -l")).toBe("200\nwritten\n201");
    });

    test("says why where there is nothing to be served", async () => {
      rmSync(files, { recursive: true });
      await expect(serve(MIB)).rejects.toThrow("It ended with 1. The directory cannot be opened.");
    });
  },
);
