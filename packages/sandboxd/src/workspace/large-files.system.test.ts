import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_COMPARED_BYTES } from "@handrail/protocol/left-out-files";
import { expect, onTestFinished, test } from "vitest";
import { ChangedPaths } from "./changed-paths.ts";
import { workspaceOperations } from "./workspace-operations.ts";
import { WrittenFiles } from "./written-files.ts";

const CALL = { signal: new AbortController().signal, write: () => {} } as never;
const OVER = MAX_COMPARED_BYTES + 1;
const LARGE = 3 * 1024 ** 3;
const GIT = "git";

function place() {
  const directory = mkdtempSync(join(tmpdir(), "handrail-large-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [workspace, state] = [join(directory, "workspace"), join(directory, "state")];
  for (const made of [workspace, state]) mkdirSync(made);
  const env = { PATH: process.env["PATH"] ?? "" };
  const parts = { program: GIT, workspace, env, written: new WrittenFiles(), changed: new ChangedPaths() };
  const open = () => workspaceOperations({ workspace }, state, { ...parts, isUntouched: () => false });
  let operations = open();
  return {
    workspace,
    write: (name: string, content: string) => writeFileSync(join(workspace, name), content),
    /** A file of zeros that takes no room. */
    grow: (name: string, bytes: number) => {
      writeFileSync(join(workspace, name), "", { flag: "a" });
      truncateSync(join(workspace, name), bytes);
    },
    restart: () => (operations = open()),
    begin: async () => operations["workspace.begin"]({}, CALL),
    changes: async () => {
      const { changes, leftOut } = await operations["workspace.changes"]({}, CALL);
      return { changes, leftOut };
    },
    patch: async () => {
      const { data, leftOut } = await operations["workspace.patch"]({ offset: 0, length: 1_000_000 }, CALL);
      return { text: Buffer.from(data, "base64").toString(), leftOut };
    },
  };
}

const added = (path: string, lines: number) => ({ path, status: "added", added: lines, removed: 0, binary: false });
const large = (path: string, bytes: number) => ({ path, reason: "large", bytes });

test("a file that is too large is left out of comparison and patch, which say so, and the others are there", async () => {
  const { begin, write, grow, changes, patch, workspace } = place();
  await begin();
  write("small", "one\n");
  grow("sparse", LARGE);
  grow("most", MAX_COMPARED_BYTES);
  grow("é\n:(glob)*", OVER);
  const leftOut = { files: [large("sparse", LARGE), large("é\\x0a:(glob)*", OVER)], count: 2 };
  const expected = { changes: [{ path: "most", status: "added", binary: true }, added("small", 1)], leftOut };
  expect(await changes()).toEqual(expected);
  expect(await changes()).toEqual(expected);
  // Git would take some seconds to write it.
  rmSync(join(workspace, "most"));
  const { text, leftOut: ofPatch } = await patch();
  expect(ofPatch).toEqual(leftOut);
  expect(text.split("\n", 1)).toEqual([
    "Left out, since files over 100 MiB are not compared: sparse (3,072 MiB), é\\x0a:(glob)* (100 MiB).",
  ]);
  const numbers = execFileSync(GIT, ["apply", "--numstat", "-"], { cwd: workspace, input: text }).toString();
  expect(numbers).toBe("1\t0\tsmall\n");
});

test("a patch of which all is left out is none", async () => {
  const { begin, grow, patch } = place();
  await begin();
  grow("sparse", LARGE);
  expect(await patch()).toEqual({ text: "", leftOut: { files: [large("sparse", LARGE)], count: 1 } });
});

test("of a file that has become too large the start's state counts, and once it is small again its own", async () => {
  const { begin, write, grow, changes, restart } = place();
  write("log", "first\n");
  await begin();
  write("log", "first\nsecond\n");
  write("new", "one\n");
  const modified = { path: "log", status: "modified", added: 1, removed: 0, binary: false };
  expect(await changes()).toEqual({ changes: [modified, added("new", 1)], leftOut: undefined });
  for (const name of ["log", "new"]) grow(name, OVER);
  const leftOut = { files: [large("log", OVER), large("new", OVER)], count: 2 };
  expect(await changes()).toEqual({ changes: [], leftOut });
  restart();
  expect(await changes()).toEqual({ changes: [], leftOut });
  write("log", "other\n");
  write("new", "two\n");
  expect(await changes()).toEqual({
    changes: [{ ...modified, removed: 1 }, added("new", 1)],
    leftOut: undefined,
  });
});

test("what git ignores is not told of, however large", async () => {
  const { begin, write, grow, changes } = place();
  write(".gitignore", "data\n");
  await begin();
  grow("data", LARGE);
  grow("more", OVER);
  expect(await changes()).toEqual({ changes: [], leftOut: { files: [large("more", OVER)], count: 1 } });
});

test("a repository without a commit within does no harm beside a file that is too large", async () => {
  const { begin, write, grow, changes, workspace } = place();
  await begin();
  execFileSync(GIT, ["init", "-q", join(workspace, "nested")]);
  write("nested/file", "one\n");
  write("small", "one\n");
  grow("sparse", OVER);
  const expected = { changes: [added("small", 1)], leftOut: { files: [large("sparse", OVER)], count: 1 } };
  expect(await changes()).toEqual(expected);
});
