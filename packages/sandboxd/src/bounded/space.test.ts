import { expect, test } from "vitest";
import { Space } from "./space.ts";

const MIB = 1024 ** 2;
const PLENTY = () => 1000 * 1024 * MIB;

test("bytes and names are admitted up to the limit, and what goes makes room", () => {
  const space = new Space(MIB, PLENTY);
  space.addBytes(MIB - 4096);
  expect([space.admits(4096), space.admits(4097), space.left]).toEqual([true, false, 4096]);
  space.addNames(8);
  expect([space.admits(1), space.admitsName(), space.left]).toEqual([false, false, 0]);
  space.addNames(-1);
  expect([space.admitsName(), space.left]).toEqual([true, 512]);
});

test("names have a limit of their own, as files of a disk of that size", () => {
  const space = new Space(MIB, PLENTY);
  space.addNames(63);
  expect([space.mostNames, space.admitsName(), space.namesLeft]).toEqual([64, true, 1]);
  space.addNames(1);
  expect([space.admitsName(), space.namesLeft]).toEqual([false, 0]);
});

test("the machine's last is not given, however much is left here", () => {
  let free = 600 * MIB;
  const space = new Space(10_000 * MIB, () => free);
  expect([space.admits(80 * MIB), space.admits(100 * MIB)]).toEqual([true, false]);
  free = 500 * MIB;
  expect([space.admits(1), space.admitsName()]).toEqual([false, false]);
  free = 600 * MIB;
  expect([space.admits(1), space.admitsName()]).toEqual([true, true]);
});

test("the machine is looked at again when 16 MiB more were admitted, or 512 names", () => {
  let looks = 0;
  const space = new Space(10_000 * MIB, () => {
    looks++;
    return PLENTY();
  });
  for (let each = 0; each < 33; each++) space.admits(MIB);
  expect(looks).toBe(3);
  for (let each = 0; each < 512; each++) space.admitsName();
  expect(looks).toBe(4);
});
