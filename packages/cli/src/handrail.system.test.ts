import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { StoredEvent } from "@handrail/protocol/events";
import { afterEach, beforeEach, expect, test } from "vitest";

const PROGRAM = path.join(import.meta.dirname, "../bin/handrail.mjs");
const DEMO = path.join(import.meta.dirname, "../../scripted-model/demo/repository");
const hasBubblewrap = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(path.join(folder, "bwrap")));
if (!hasBubblewrap) process.stdout.write("Runs of the CLI are not tested: that takes bubblewrap.\n");

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "handrail-system-"));
  mkdirSync(path.join(root, "work"));
});
afterEach(() => {
  endSandboxes();
  unmountDisks();
  rmSync(root, { recursive: true, force: true, maxRetries: 10 });
});

/** A server leaves its sandboxes to the next one on its state directory; here none comes. */
function endSandboxes(): void {
  const ids = new Set(
    commandLines().flatMap(({ words }) => (words.includes(root) ? (words.match(/\bx_\w+/g) ?? []) : [])),
  );
  for (const { pid, words } of commandLines()) {
    if (words.includes(root) || [...ids].some((id) => words.includes(id))) kill(pid);
  }
}

/** A server that is ended while it tries whether workspaces can be disks leaves one mounted, which the next takes away. */
function unmountDisks(): void {
  const places = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  const left = places.filter((place) => place.startsWith(`${root}/`));
  if (left.length > 0) execFileSync("umount", ["--lazy", ...left]);
}

/** Of the processes of this machine. */
function commandLines(): readonly { readonly pid: number; readonly words: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [{ pid: Number(pid), words: readFileSync(`/proc/${pid}/cmdline`, "utf8") }];
      } catch {
        return [];
      }
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}

/** Starts `handrail` in an empty folder, with a state directory of its own. `onOut` sees stdout so far. */
function handrail(
  args: readonly string[],
  onOut: (out: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
) {
  const home = { HANDRAIL_HOME: path.join(root, "home") };
  // Its servers keep nothing in Docker.
  const environment = { PATH: process.env["PATH"], ...home, LANG: "C.UTF-8", HANDRAIL_DOCKER_DISKS: "false" };
  const child = spawn(PROGRAM, args, {
    cwd: path.join(root, "work"),
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    onOut(out, (signal) => child.kill(signal));
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; out: string; err: string }>();
  child.on("close", (code) => resolve({ code, out, err }));
  return promise;
}

const demo = (repo = "demo") => ["run", "Fix the test.", "--repo", repo, "--model", "demo", "--sandbox", "process"];
const eventsIn = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => StoredEvent.parse(JSON.parse(line)));

test.skipIf(!hasBubblewrap)("the demo leaves a patch that applies, and checkpoints that can be compared", async () => {
  const { code, out, err } = await handrail([...demo(), "--json", "--output", "result.patch"]);
  expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining("result.patch") as string });

  const events = eventsIn(out);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
  expect(events.at(-1)?.event).toMatchObject({ type: "run.ended", outcome: "done" });
  const repository = path.join(root, "repository");
  cpSync(DEMO, repository, { recursive: true });
  execFileSync("git", ["apply", "--check", path.join(root, "work/result.patch")], { cwd: repository });
  expect(existsSync(path.join(root, "home/server.json"))).toBe(false);

  const [first] = events;
  const id = first?.event.type === "conversation.created" ? first.event.conversationId : "";
  const kept = (await handrail(["checkpoints", id])).out.trimEnd().split("\n");
  const [last, start] = [kept[0], kept.at(-1)].map((line) => line?.split(" ")[0] ?? "");
  const diff = ["diff", id, start ?? "", last ?? ""];
  const modified = (...files: string[]) => files.map((file) => `modified  ${file}\n`).join("");
  const files = ["src/format.js", "test/format.test.js"];
  expect((await handrail(diff)).out).toBe(modified(...files));
  expect((await handrail([...diff, "--git"])).out).toBe(modified(".git/index", ...files));
  expect((await handrail([...diff, "src/format.js"])).out).toMatch(
    /^--- a\/src\/format.js\n\+\+\+ b\/src\/format.js\n@@ .*\n(?:[ +-].*\n)+$/,
  );
});

test.skipIf(!hasBubblewrap)(
  "Ctrl-C stops the run, exits 130, and the conversation can be listed and shown",
  async () => {
    let pressed = false;
    const { code, out } = await handrail([...demo(), "--json"], (seen, kill) => {
      if (pressed || !seen.includes('"call.started"')) return;
      pressed = true;
      kill("SIGINT");
    });
    expect(code).toBe(130);
    const events = eventsIn(out);
    expect(events.at(-1)?.event).toMatchObject({ type: "run.ended", outcome: "cancelled" });
    const [first] = events;
    const id = first?.event.type === "conversation.created" ? first.event.conversationId : "";
    expect((await handrail(["list"])).out).toMatch(new RegExp(`^${id}  cancelled`));
    expect(await handrail(["show", id])).toMatchObject({ code: 0, out: expect.stringContaining("Stopped") as string });
    // The workspace is recorded once more after the run's end.
    expect((await handrail(["export", id])).out.startsWith(out)).toBe(true);
  },
);

test.skipIf(!hasBubblewrap)("the server that a command started ends with it, also when it is killed", async () => {
  let server = 0;
  await handrail([...demo(), "--json"], (seen, kill) => {
    if (server > 0 || !seen.includes('"call.started"')) return;
    server = (JSON.parse(readFileSync(path.join(root, "home/server.json"), "utf8")) as { readonly pid: number }).pid;
    kill("SIGKILL");
  });
  expect(server).toBeGreaterThan(0);
  await expect.poll(() => existsSync(`/proc/${server}`)).toBe(false);
});

test.skipIf(!hasBubblewrap)("a limit that is reached exits 3 and names how to go on", async () => {
  const { code, out } = await handrail([...demo(), "--max-steps", "2"]);
  expect(code).toBe(3);
  expect(out).toContain("limit reached: 2 steps for this run");
  expect(out).toMatch(/Go on with: handrail resume c_[0-9a-z]{20}\n$/);
});

test("a backup of what the server left is an archive with its database", async () => {
  expect((await handrail(["list"])).code).toBe(0);
  expect((await handrail(["backup", "all.tar.gz"])).code).toBe(0);
  const names = execFileSync("tar", ["-tzf", path.join(root, "work/all.tar.gz")], { encoding: "utf8" });
  expect(names).toContain("./handrail.sqlite\n");
});

test.skipIf(!hasBubblewrap)(
  "--apply changes the folder that the workspace was copied from, and nothing else in it",
  async () => {
    const folder = path.join(root, "work/project");
    cpSync(DEMO, folder, { recursive: true });
    const { code, out } = await handrail([...demo("./project"), "--apply"]);
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining(`Applied to ${folder}: 2 files.`) as string,
    });
    const names = readdirSync(DEMO, { recursive: true, encoding: "utf8" }).toSorted();
    expect(readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()).toEqual(names);
    const files = names.filter((name) => statSync(path.join(DEMO, name)).isFile());
    const text = (base: string, name: string) => readFileSync(path.join(base, name), "utf8");
    expect(files.filter((name) => text(DEMO, name) !== text(folder, name))).toEqual([
      "src/format.js",
      "test/format.test.js",
    ]);
  },
);
