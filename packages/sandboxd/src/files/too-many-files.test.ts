import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("a file that cannot be opened because too many are open is told so, with what to do", () => {
  const code = `
    import { closeSync, openSync } from "node:fs";
    const { fileOperations } = await import(${JSON.stringify(join(import.meta.dirname, "file-operations.ts"))});
    const operations = fileOperations({ workspace: ${JSON.stringify(import.meta.dirname)} });
    const call = { id: "call", signal: new AbortController().signal, feed: () => {} };
    const args = { fromLine: 1, maxLines: 1, capBytes: 100, within: "workspace", maxEntries: 10 };
    const tried = (name, path) => Promise.resolve()
      .then(() => operations[name]({ ...args, path }, call))
      .then(() => "done", ({ code, details }) => code + " " + JSON.stringify(details));
    await tried("file.read", "file-error.ts");
    await tried("file.list", ".");
    const files = [];
    try { for (;;) files.push(openSync("/dev/null")); } catch {}
    const full = [await tried("file.read", "file-error.ts"), await tried("file.list", ".")];
    files.splice(0).forEach((file) => closeSync(file));
    console.log(JSON.stringify([...full, await tried("file.read", "file-error.ts")]));`;
  const limited = ["-c", 'ulimit -n 64; exec "$0" "$@"', process.execPath, "--input-type=module", "-e", code];
  expect(JSON.parse(spawnSync("sh", limited, { encoding: "utf8", timeout: 15_000 }).stdout)).toEqual([
    'too_many_files {"path":"file-error.ts","errno":"EMFILE"}',
    'too_many_files {"path":".","errno":"EMFILE"}',
    "done",
  ]);
});
