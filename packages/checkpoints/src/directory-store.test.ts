import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkpointStoreContract } from "@handrail/core/testing/checkpoint-store-contract";
import { afterAll, expect, test } from "vitest";
import { directoryStore } from "./directory-store.ts";

const parent = mkdtempSync(join(tmpdir(), "handrail-checkpoints-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const freshDirectory = () => mkdtempSync(join(parent, "store-"));

checkpointStoreContract("directoryStore", async () => directoryStore(freshDirectory()));

test("what a crash left half written is not listed, and goes then", async () => {
  const directory = freshDirectory();
  const store = directoryStore(directory);
  await store.put("a/b", new Uint8Array([1]));
  writeFileSync(join(directory, "a", ".0123456789abcdef"), "half");
  expect(await store.list("")).toEqual(["a/b"]);
  expect(readdirSync(join(directory, "a")).sort()).toEqual(["b"]);
});

test("what is being written is listed when it is whole, and is not taken for what a crash left", async () => {
  const directory = freshDirectory();
  const store = directoryStore(directory);
  const paths = Array.from({ length: 20 }, (_, number) => `a/${String(number).padStart(2, "0")}`);
  await Promise.all(paths.flatMap((path) => [store.put(path, new Uint8Array([1])), store.list("")]));
  expect(await store.list("")).toEqual(paths);
});

test("too many open files are told as what they are, for a while alone", () => {
  const program = `
    import { closeSync, openSync } from "node:fs";
    import { directoryStore } from "${new URL("directory-store.ts", import.meta.url).href}";
    const store = directoryStore(${JSON.stringify(freshDirectory())});
    const tried = (work) => work.then(() => "done", ({ code }) => code);
    const all = async () => [await tried(store.put("a/b", new Uint8Array(1))), await tried(store.get("a/b"))];
    await all();
    const files = [];
    try { for (;;) files.push(openSync("/dev/null")); } catch {}
    const full = await all();
    files.splice(0).forEach((file) => closeSync(file));
    console.log(JSON.stringify([...full, ...(await all())]));`;
  const limited = ["-c", 'ulimit -n 64; exec "$0" "$@"', process.execPath, "--input-type=module", "-e", program];
  const { stdout } = spawnSync("sh", limited, { encoding: "utf8", timeout: 15_000 });
  expect(JSON.parse(stdout)).toEqual(["too_many_files", "too_many_files", "done", "done"]);
});
