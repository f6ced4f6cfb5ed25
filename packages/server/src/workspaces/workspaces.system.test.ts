import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJournal } from "@handrail/core/journal";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import { AppError } from "@handrail/protocol/errors";
import type { WorkspaceSource } from "@handrail/protocol/sources";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deliverer, type DeliverWanted } from "./deliver.ts";
import { hostGit } from "./git.ts";
import { seedPreparer } from "./prepare-seed.ts";

let root: string;
let source: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "handrail-workspaces-"));
  source = join(root, "source");
  for (const name of ["home", "source", "demo"]) mkdirSync(join(root, name));
  writeFileSync(join(root, "demo", "README.md"), "demo\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const env = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
};
const never = new AbortController().signal;
const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: "pipe" });
const write = (path: string, text: string) => writeFileSync(join(source, path), text);

function repository() {
  git(source, "init", "-q", "-b", "main");
  write("a.txt", "one\n");
  write("b.txt", "two\n");
  write(".gitignore", "secret.env\n");
  git(source, "add", "-A");
  git(source, "commit", "-qm", "first");
  return git(source, "rev-parse", "HEAD").trim();
}

const parts = () => ({
  git: hostGit(env),
  directory: join(root, "home", "seeds"),
  demoDirectory: join(root, "demo"),
  home: join(root, "home"),
  local: true,
});
const prepare = (from: WorkspaceSource, say: (text: string) => void = () => undefined) =>
  seedPreparer(parts())(from, say, never);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => "nothing",
    (thrown: unknown) => (thrown as AppError).code,
  );

test("a repository's folder comes as committed, with what is changed and new, without what is ignored", async () => {
  const commit = repository();
  write("a.txt", "one, changed\n");
  write("new.txt", "new\n");
  write("secret.env", "key\n");
  rmSync(join(source, "b.txt"));
  write("staged.txt", "staged\n");
  git(source, "add", "staged.txt");
  const before = git(source, "status", "--porcelain");
  const seed = await prepare({ type: "folder", path: source });
  const { directory } = seed;
  expect(readdirSync(directory).toSorted()).toEqual([".git", ".gitignore", "a.txt", "new.txt", "staged.txt"]);
  expect(readFileSync(join(directory, "a.txt"), "utf8")).toBe("one, changed\n");
  expect(git(directory, "rev-parse", "HEAD").trim()).toBe(commit);
  expect(git(source, "status", "--porcelain")).toBe(before);
  await seed.dispose();
  expect(existsSync(directory)).toBe(false);
});

test("a plain folder is copied with its links as links", async () => {
  write("run.sh", "#!/bin/sh\n");
  symlinkSync("/etc/passwd", join(source, "link"));
  const { directory } = await prepare({ type: "folder", path: source });
  expect(readdirSync(directory).toSorted()).toEqual(["link", "run.sh"]);
  expect(lstatSync(join(directory, "link")).isSymbolicLink()).toBe(true);
});

test("Handrail's own state, the root, files and relative paths are no sources", async () => {
  write("file", "");
  const paths = [
    join(root, "home"),
    root,
    "/",
    join(source, "file"),
    "relative",
    join(root, "missing"),
    join(root, "home", "x"),
  ];
  const codes = await Promise.all(paths.map((path) => failure(prepare({ type: "folder", path }))));
  expect(codes).toEqual(paths.map(() => "source_invalid"));
});

test("a repository is cloned at its branch, and a branch that is not there is said", async () => {
  repository();
  git(source, "branch", "side");
  const said: string[] = [];
  const { directory } = await prepare({ type: "git", url: source, branch: "side" }, (text) => said.push(text));
  expect(git(directory, "branch", "--show-current").trim()).toBe("side");
  expect(said[0]).toBe(`Cloning ${source}`);
  expect(await failure(prepare({ type: "git", url: source, branch: "nope" }))).toBe("git_failed");
});

test("a large repository is written by several processes, and comes whole", async () => {
  git(source, "init", "-q", "-b", "main");
  for (let at = 0; at < 150; at++) {
    mkdirSync(join(source, `d${at % 7}`, "e"), { recursive: true });
    write(`d${at % 7}/e/f${at}`, `content ${at}\n`.repeat(at % 50));
  }
  chmodSync(join(source, "d1/e/f1"), 0o755);
  symlinkSync("e/f2", join(source, "d2", "link"));
  git(source, "add", "-A");
  git(source, "commit", "-qm", "many");
  const asked: string[] = [];
  const host = hostGit(env);
  const recorded = {
    ...parts(),
    git: (...call: Parameters<typeof host>) => (asked.push(call[0].join(" ")), host(...call)),
  };
  for (const from of [
    { type: "git" as const, url: source },
    { type: "folder" as const, path: source },
  ]) {
    const { directory } = await seedPreparer(recorded)(from, () => undefined, never);
    expect(git(directory, "status", "--porcelain")).toBe("");
    expect(git(directory, "ls-files", "-s")).toBe(git(source, "ls-files", "-s"));
  }
  expect(asked.filter((args) => args.startsWith("-c checkout.workers=0 clone "))).toHaveLength(2);
});

test("hooks of a source do not run, and nothing is left after a failure", async () => {
  repository();
  writeFileSync(join(source, ".git/hooks/post-checkout"), `#!/bin/sh\ntouch ${root}/ran\n`, { mode: 0o755 });
  await prepare({ type: "git", url: source });
  expect(existsSync(join(root, "ran"))).toBe(false);
  const before = readdirSync(join(root, "home", "seeds")).length;
  await failure(prepare({ type: "git", url: join(root, "missing") }));
  expect(readdirSync(join(root, "home", "seeds"))).toHaveLength(before);
});

test("an empty workspace and the demo begin as repositories", async () => {
  const empty = await prepare({ type: "empty" });
  expect(git(empty.directory, "symbolic-ref", "HEAD").trim()).toBe("refs/heads/main");
  const demo = await prepare({ type: "demo" });
  expect(git(demo.directory, "status", "--porcelain")).toBe("");
  expect(git(demo.directory, "ls-files").trim()).toBe("README.md");
});

const PATCH = `diff --git a/a.txt b/a.txt
--- a/a.txt
+++ b/a.txt
@@ -1 +1 @@
-one
+one, done
diff --git a/done.txt b/done.txt
new file mode 100644
--- /dev/null
+++ b/done.txt
@@ -0,0 +1 @@
+done
`;

async function deliver(from: WorkspaceSource, commit: string | undefined, wanted: DeliverWanted, patch = PATCH) {
  const conversationId = `c_${"0".repeat(20)}`;
  const journal = await createJournal(memoryLogStore(), testClock(), {
    type: "conversation.created",
    conversationId,
    ownerId: "local",
    teamId: null,
    title: "t",
    source: from,
    sandbox: { backend: "process", network: { type: "none" } },
    model: "demo",
    limits: {},
    runLimits: {},
  });
  await journal.commit(() => [{ type: "workspace.prepared", files: 3, bytes: 9, ...(commit && { commit }) }]);
  const said: unknown[] = [];
  journal.onEvents((events) => said.push(...events.map(({ event }) => event)));
  const work = deliverer({ ...parts(), journal: async () => journal, readPatch: async () => Buffer.from(patch) });
  return { delivered: await work(conversationId, wanted, never), said };
}

const message = "Do it";

test("the result becomes a commit on a new branch of the folder's repository, which itself stays as it is", async () => {
  const base = repository();
  const { delivered, said } = await deliver({ type: "folder", path: source }, base, {
    kind: "branch",
    branch: "fix/it",
    message,
  });
  expect(delivered).toMatchObject({ kind: "branch", ref: "fix/it", files: 2 });
  expect(said).toEqual([{ type: "result.delivered", ...delivered }]);
  expect(git(source, "log", "-1", "--format=%P %an %s", "fix/it").trim()).toBe(`${base} Ada Do it`);
  expect(git(source, "show", "fix/it:a.txt")).toBe("one, done\n");
  expect([git(source, "branch", "--show-current").trim(), git(source, "status", "--porcelain")]).toEqual(["main", ""]);
});

test("a branch that exists is refused, and stays", async () => {
  const base = repository();
  git(source, "branch", "taken");
  const wanted = { kind: "branch", branch: "taken", message } as const;
  expect(await failure(deliver({ type: "folder", path: source }, base, wanted))).toBe("git_failed");
  expect(git(source, "rev-parse", "taken").trim()).toBe(base);
});

test("the result is pushed to where a clone came from", async () => {
  const base = repository();
  await deliver({ type: "git", url: source }, base, { kind: "push", branch: "pushed", message });
  expect(git(source, "show", "pushed:done.txt")).toBe("done\n");
});

test("the result is applied to the folder, or not at all when the folder has changed", async () => {
  const base = repository();
  await deliver({ type: "folder", path: source }, base, { kind: "apply" });
  expect([readFileSync(join(source, "a.txt"), "utf8"), existsSync(join(source, "done.txt"))]).toEqual([
    "one, done\n",
    true,
  ]);
  rmSync(join(source, "done.txt"));
  expect(await failure(deliver({ type: "folder", path: source }, base, { kind: "apply" }))).toBe("git_failed");
  expect(existsSync(join(source, "done.txt"))).toBe(false);
});

test("the result is applied to a plain folder inside somebody's repository", async () => {
  git(root, "init", "-q");
  write("a.txt", "one\n");
  await deliver({ type: "folder", path: source }, undefined, { kind: "apply" });
  expect(readFileSync(join(source, "a.txt"), "utf8")).toBe("one, done\n");
});

test("a patch cannot write outside the folder, into .git, or through a link", async () => {
  const base = repository();
  mkdirSync(join(root, "outside"));
  symlinkSync(join(root, "outside"), join(source, "link"));
  for (const path of ["../outside/x", ".git/hooks/pre-commit", "link/x"]) {
    const patch = `diff --git a/${path} b/${path}\nnew file mode 100755\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
    expect([path, await failure(deliver({ type: "folder", path: source }, base, { kind: "apply" }, patch))]).toEqual([
      path,
      "git_failed",
    ]);
  }
  expect(readdirSync(join(root, "outside"))).toEqual([]);
  expect(existsSync(join(source, ".git/hooks/pre-commit"))).toBe(false);
});
