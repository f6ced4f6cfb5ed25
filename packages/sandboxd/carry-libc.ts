import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** Where sandboxes have the programs: the kernel looks for a program's loader at a fixed place. */
const INSIDE = "/handrail";
const LOADER = `${INSIDE}/ld.so`;

/** The headers of a program, which name its loader, are in its first bytes. */
const HEAD_BYTES = 4096;

/**
 * Makes a program independent of the C library that an image has, or has not: copies this machine's beside it, with a
 * loader that looks nowhere else. It then runs only from `/handrail`. False, and nothing is changed, where this machine's
 * C library is not glibc, or one that cannot be told where to look.
 */
export function carryLibc(directory: string, program: string): boolean {
  const path = join(directory, program);
  const libraries = librariesOf(path);
  const loader = libraries?.find((library) => /\/ld-[^/]*$/.test(library));
  if (libraries === undefined || loader === undefined) return false;
  const bytes = withoutPlaces(loader);
  if (bytes === undefined || !pointAtLoader(path)) return false;
  writeFileSync(join(directory, "ld.so"), bytes, { mode: 0o755 });
  for (const library of libraries.filter((one) => one !== loader)) {
    const copy = join(directory, library.slice(library.lastIndexOf("/") + 1));
    copyFileSync(library, copy);
    chmodSync(copy, 0o644);
  }
  return true;
}

/** Paths of what the loader takes for a program, itself included. */
function librariesOf(path: string): readonly string[] | undefined {
  try {
    const listed = execFileSync("ldd", [path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return [...listed.matchAll(/(\/\S+) \(0x/g)].flatMap(([, library]) => (library === undefined ? [] : [library]));
  } catch {
    return undefined;
  }
}

/**
 * A loader whose places are all `/handrail`, and that reads no cache: an image's own C library must not come first, which
 * fits its own loader only. Places have a fixed length; slashes fill them up.
 */
function withoutPlaces(loader: string): Buffer | undefined {
  const bytes = readFileSync(loader);
  const places = placesOf(loader);
  const old = places.map((place) => `${place}/\0`).join("");
  const own = places.map((place) => `${filled(place.length + 1)}\0`).join("");
  const found = places.some((place) => place.length >= INSIDE.length) && bytes.includes(old);
  if (!found) return undefined;
  replaceAll(bytes, old, own);
  replaceAll(bytes, "/etc/ld.so.cache\0", `${INSIDE}/no-lib\0`);
  return bytes;
}

/** As the loader tells them, in its own order. */
function placesOf(loader: string): readonly string[] {
  const help = execFileSync(loader, ["--help"], { encoding: "utf8" });
  return [...help.matchAll(/^ {2}(\/\S+) \(system search path\)$/gm)].map(([, place = ""]) => place);
}

function filled(length: number): string {
  return length > INSIDE.length ? INSIDE.padEnd(length, "/") : "/".repeat(length);
}

function replaceAll(bytes: Buffer, old: string, own: string): void {
  for (let at = bytes.indexOf(old); at !== -1; at = bytes.indexOf(old, at + 1)) bytes.write(own, at, "latin1");
}

function pointAtLoader(path: string): boolean {
  const file = openSync(path, "r+");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    readSync(file, head, 0, HEAD_BYTES, 0);
    const found = /\/lib\S*\/ld-linux[^\0]*\0/.exec(head.toString("latin1"));
    if (found === null || found[0].length <= LOADER.length) return false;
    writeSync(file, Buffer.from(LOADER.padEnd(found[0].length, "\0")), 0, found[0].length, found.index);
    return true;
  } finally {
    closeSync(file);
  }
}
