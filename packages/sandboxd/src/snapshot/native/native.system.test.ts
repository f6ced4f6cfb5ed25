import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileStat } from "./file-stat.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-native-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const BUN = join(dirname(createRequire(import.meta.url).resolve("bun/package.json")), "bin", "bun.exe");

/** Runs the body of a function of `native` and `place`, an open directory, under Bun, as sandboxd runs; gives what it returns. */
function underBun(body: string): unknown {
  const script = `
    import { openSync, closeSync, constants } from "node:fs";
    import { openNative } from ${JSON.stringify(join(import.meta.dirname, "native.ts"))};
    const native = await openNative();
    const place = openSync(${JSON.stringify(directory)}, constants.O_DIRECTORY);
    const result = await (async () => { ${body} })();
    console.log(JSON.stringify(result, (_, value) => typeof value === "bigint" ? String(value) : value));`;
  const file = join(directory, "..", `${directory.slice(directory.lastIndexOf("/") + 1)}.ts`);
  writeFileSync(file, script);
  try {
    return JSON.parse(execFileSync(BUN, [file], { encoding: "utf8" })) as unknown;
  } finally {
    rmSync(file);
  }
}

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part)));

test("what the C library says of files of all kinds is what the file module says", () => {
  writeFileSync(join(directory, "file"), "content");
  chmodSync(join(directory, "file"), 0o4751);
  linkSync(join(directory, "file"), join(directory, "twin"));
  utimesSync(join(directory, "file"), 0, -1.5);
  mkdirSync(join(directory, "directory"), { mode: 0o700 });
  symlinkSync("nowhere", join(directory, "link"));
  execFileSync("mkfifo", [join(directory, "pipe")]);
  writeFileSync(join(directory, "ünï"), "");
  const names = ["file", "twin", "directory", "link", "pipe", "ünï"];
  const bytes = names.map((name) => Buffer.from(name).toString("latin1"));
  expect(underBun(`return ${JSON.stringify(bytes)}.map((name) => native.statIn(place, name));`)).toEqual(
    names.map((name) => plain(fileStat(lstatSync(join(directory, name), { bigint: true })))),
  );
  expect(underBun(`return native.statOpen(openSync(${JSON.stringify(join(directory, "file"))}));`)).toEqual(
    plain(fileStat(lstatSync(join(directory, "file"), { bigint: true }))),
  );
});

test("a name that is not there is nothing, and one that no directory can hold is unreadable", () => {
  expect(underBun(`return [native.statIn(place, "none") ?? null, native.statIn(place, "x".repeat(300))];`)).toEqual([
    null,
    "unreadable",
  ]);
});

test("files are made in an open directory and written by the C library, and what has a name stays", () => {
  writeFileSync(join(directory, "there"), "there");
  symlinkSync("nowhere", join(directory, "link"));
  const text = Buffer.from("ünï").toString("latin1");
  const made = underBun(`
    const made = [${JSON.stringify(text)}, "there", "link"].map((name) => native.createIn(place, name, 0o640));
    native.writeAll(made[0], Buffer.from("one"));
    native.writeAll(made[0], new Uint8Array(0));
    native.writeAll(made[0], Buffer.from("two"));
    native.setOpenTime(made[0], -1500000000n);
    return made.map((file) => file === undefined ? "taken" : typeof file);`);
  expect(made).toEqual(["number", "taken", "taken"]);
  expect(readFileSync(join(directory, "ünï"), "utf8")).toBe("onetwo");
  expect(lstatSync(join(directory, "ünï"), { bigint: true }).mtimeNs).toBe(-1_500_000_000n);
  expect(readFileSync(join(directory, "there"), "utf8")).toBe("there");
});

test("what the system refuses is thrown with its reason", () => {
  const body = (call: string) => `try { ${call}; return "done"; } catch (thrown) { return thrown.code; }`;
  expect(underBun(body(`native.createIn(place, "x".repeat(300), 0o640)`))).toBe("ENAMETOOLONG");
  expect(underBun(body(`native.createIn(place, "no/where", 0o640)`))).toBe("ENOENT");
  expect(underBun(body(`native.writeAll(place, Buffer.from("x"))`))).toBe("EBADF");
});
