import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileStat } from "../snapshot/native/file-stat.ts";
import { CALL } from "../testing/snapshot-place.ts";
import { workspaceOperations } from "./workspace-operations.ts";
import { ChangedPaths } from "./changed-paths.ts";
import { WrittenFiles } from "./written-files.ts";

const GIT = "/usr/bin/git";

/** A program that does as git does and writes down what it was asked for. */
function listeningGit(directory: string): {
  readonly program: string;
  readonly asked: () => string[];
  readonly added: () => string[];
} {
  const [program, log] = [join(directory, "git.sh"), join(directory, "asked")];
  const verbs = "add|write-tree|ls-tree|ls-files|rev-parse|symbolic-ref";
  const script = `#!/bin/sh
echo "$*" >> ${log}.all
for word in "$@"; do case "$word" in ${verbs}) echo "$word" >> ${log}; break;; esac; done
exec ${GIT} "$@"
`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  const lines = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
  const added = () =>
    lines(`${log}.all`).flatMap((line) => / add --all (?:--ignore-errors )?-- (.*)/.exec(line)?.[1] ?? []);
  return { program, asked: () => lines(log), added };
}

/** A cloned repository with a file, a program and a link, as a restore has just written it. */
function restored(change: (workspace: string) => void = () => {}, isUntouched = true) {
  const directory = mkdtempSync(join(tmpdir(), "handrail-first-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [workspace, state] = [join(directory, "workspace"), join(directory, "state")];
  mkdirSync(join(workspace, "d"), { recursive: true });
  mkdirSync(state);
  writeFileSync(join(workspace, "d", "f"), "file");
  writeFileSync(join(workspace, "run"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("d/f", join(workspace, "link"));
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
  ])
    execFileSync(GIT, args, { cwd: workspace });
  change(workspace);
  const written = new WrittenFiles();
  const add = (path: string, content: Buffer) =>
    written.add(path, fileStat(lstatSync(join(workspace, path), { bigint: true })), [content]);
  for (const path of [".git/index", "d/f", "run"]) add(path, readFileSync(join(workspace, path)));
  add("link", Buffer.from("d/f"));
  const git = listeningGit(directory);
  const changed = new ChangedPaths();
  const env = { PATH: "/usr/bin:/bin" };
  const since = { untouched: isUntouched };
  const place = { program: git.program, workspace, env, written, changed, isUntouched: () => since.untouched };
  return { operations: workspaceOperations({ workspace }, state, place), workspace, changed, since, ...git };
}

const begin = async ({ operations }: Pick<ReturnType<typeof restored>, "operations">) =>
  operations["workspace.begin"]({}, CALL);

test("git does not look at files that were just written as its index has them", async () => {
  const quick = restored();
  const start = await begin(quick);
  expect(start).toMatchObject({ files: 3, bytes: 17 });
  expect(quick.asked().filter((verb) => verb === "add" || verb === "ls-tree")).toEqual([]);
  const slow = restored(undefined, false);
  expect(await begin(slow)).toEqual(start);
  expect(slow.asked()).toContain("add");
});

test.each<[string, (workspace: string) => void]>([
  ["a file changed", (workspace) => writeFileSync(join(workspace, "d", "f"), "else")],
  ["a file may be run now", (workspace) => chmodSync(join(workspace, "d", "f"), 0o755)],
  [
    "a file is only meant to be added",
    (workspace) => {
      writeFileSync(join(workspace, "new"), "");
      execFileSync(GIT, ["rm", "-q", "--cached", "link"], { cwd: workspace });
      execFileSync(GIT, ["add", "--intent-to-add", "link"], { cwd: workspace });
    },
  ],
  [
    "the index has one more",
    (workspace) => {
      writeFileSync(join(workspace, "gone"), "");
      execFileSync(GIT, ["add", "gone"], { cwd: workspace });
      rmSync(join(workspace, "gone"));
    },
  ],
  ["the index has one less", (workspace) => execFileSync(GIT, ["rm", "-q", "--cached", "run"], { cwd: workspace })],
])("git looks when %s", async (_, change) => {
  const at = restored(change);
  await begin(at);
  expect(at.asked()).toContain("add");
});

test("files and bytes are counted from the index as git counts them", async () => {
  const { operations } = restored((workspace) => {
    mkdirSync(join(workspace, "inner"));
    for (const args of [
      ["init", "-q"],
      ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ])
      execFileSync(GIT, args, { cwd: join(workspace, "inner") });
    writeFileSync(join(workspace, "untracked"), "12345");
  }, false);
  expect(await begin({ operations })).toMatchObject({ files: 4, bytes: 22 });
});

/** Changes a file, removes one and makes one, and one more that nobody is told of; `told` are further paths. */
async function changesAfterRestore(at: ReturnType<typeof restored>, told: readonly string[] = []) {
  const { workspace, operations, changed } = at;
  await begin(at);
  writeFileSync(join(workspace, "d", "f"), "else");
  rmSync(join(workspace, "run"));
  writeFileSync(join(workspace, "new file"), "new");
  writeFileSync(join(workspace, "unseen"), "unseen");
  for (const path of told.filter((name) => name.startsWith("d/"))) writeFileSync(join(workspace, path), "");
  for (const path of ["d/f", "run", "new file", ".git/index", ...told]) changed.add(path);
  const { changes } = await operations["workspace.changes"]({}, CALL);
  return changes.map(({ path, status }) => `${status} ${path}`).toSorted();
}

const SEEN = ["added new file", "deleted run", "modified d/f"];

test("git looks only at what restores changed since it was last told", async () => {
  const at = restored();
  expect(await changesAfterRestore(at)).toEqual(SEEN);
  expect(at.added()).toEqual(["d/f run new file"]);
  const again = await at.operations["workspace.changes"]({}, CALL);
  expect(again.changes.map(({ path }) => path).toSorted()).toEqual(["d/f", "new file", "run"]);
  expect(at.added()).toHaveLength(1);
});

test("git looks at everything when something else may have changed, as soon as it may", async () => {
  const all = [...SEEN, "added unseen"].toSorted();
  expect(await changesAfterRestore(restored(undefined, false))).toEqual(all);
  const at = restored();
  expect(await changesAfterRestore(at)).toEqual(SEEN);
  at.since.untouched = false;
  const { changes } = await at.operations["workspace.changes"]({}, CALL);
  expect(changes.map(({ path, status }) => `${status} ${path}`).toSorted()).toEqual(all);
});

test.each<[string, (workspace: string) => void, readonly string[]]>([
  [
    "one of them is ignored",
    (workspace) => {
      writeFileSync(join(workspace, ".git", "info", "exclude"), "ignored\n");
      writeFileSync(join(workspace, "ignored"), "");
    },
    ["ignored"],
  ],
  ["one of them says what is ignored", () => {}, ["d/.gitignore"]],
  ["one of them is not there, and never was for git", () => {}, ["never"]],
  ["a name is not plain text", () => {}, ["d/\u00fc"]],
  ["they are many", () => {}, Array.from({ length: 600 }, (_, at) => `d/${at}`)],
  ["they are long", () => {}, Array.from({ length: 400 }, (_, at) => `d/${"x".repeat(200)}${at}`)],
])("git looks at everything when of what restores changed %s", async (_, prepare, told) => {
  const at = restored();
  prepare(at.workspace);
  expect(await changesAfterRestore(at, told)).toContain("added unseen");
  expect(at.added().at(-1)).toBe(".");
});
