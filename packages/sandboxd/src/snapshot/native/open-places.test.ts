import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OpenPlaces } from "./open-places.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-places-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = () => readdirSync("/proc/self/fd").length;

/** Directories below each other, opened one after another, each let go when the next one is opened. */
function chain(places: OpenPlaces, depth: number) {
  let path = directory;
  return Array.from({ length: depth }, (_, level) => {
    path = join(path, "d");
    mkdirSync(path);
    writeFileSync(join(path, `at ${level}`), "");
    const place = places.open(path);
    if (level < depth - 1) place.letGo();
    return { place, path };
  });
}

test("however many directories wait, so many are open, and each is opened again where it was", () => {
  const before = open();
  const all = chain(new OpenPlaces(3), 20);
  expect(open()).toBe(before + 3);
  for (const [level, { place }] of all.entries()) {
    place.hold();
    expect(readdirSync(place.at)).toContain(`at ${level}`);
    place.letGo();
  }
  expect(open()).toBe(before + 3);
  for (const { place } of all) place.shut();
  expect(open()).toBe(before);
});

test("a directory that is held stays open, and there is no room when all are", () => {
  const places = new OpenPlaces(3);
  const all = chain(places, 3);
  for (const { place } of all.slice(0, 2)) place.hold();
  const at = all.map(({ place }) => place.at);
  expect(places.hasRoom).toBe(false);
  mkdirSync(join(directory, "more"));
  const more = places.open(join(directory, "more"));
  expect(all.map(({ place }) => place.at)).toEqual(at);
  all[0]?.place.letGo();
  more.shut();
  expect(places.hasRoom).toBe(true);
  for (const { place } of all) place.shut();
});

const moved = () => join(directory, "moved");

test.each<[string, (path: string) => void]>([
  [
    "another directory",
    (path) => {
      renameSync(path, moved());
      mkdirSync(path);
    },
  ],
  [
    "a link to it",
    (path) => {
      renameSync(path, moved());
      symlinkSync(moved(), path);
    },
  ],
  [
    "below a link",
    (path) => {
      renameSync(dirname(path), moved());
      symlinkSync(moved(), dirname(path));
    },
  ],
  ["nothing", (path) => renameSync(path, moved())],
])("a directory whose path is %s when it is opened again is not worked in", (_, replace) => {
  const before = open();
  const all = chain(new OpenPlaces(2), 4);
  const { place, path } = all[1]!;
  replace(path);
  place.hold();
  expect(() => place.at).toThrow();
  expect(() => place.file).toThrow();
  for (const { place: each } of all) each.shut();
  expect(open()).toBe(before);
});
