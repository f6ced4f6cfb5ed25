import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ALL_ATTACKS, INSIDE_ATTACKS } from "../e2e/src/attacks/all-attacks.ts";

import { SANDBOXD_ON_CONTAINERD } from "../e2e/src/attacks/on-containerd.ts";

const PAGE = path.join(import.meta.dirname, "../docs/security/attacks.md");

/** The section about the profile dev, which is the last. */
const DEV = "\n## In the profile dev\n";

const rowsOf = (text: string) => text.split("\n").filter((line) => line.startsWith("| `"));

test("each attack has a name of its own and its row in the documentation, in the same words, and there is no other row", () => {
  const [page = ""] = readFileSync(PAGE, "utf8").split(DEV);
  expect(rowsOf(page)).toEqual(
    ALL_ATTACKS.map(({ id, tries, stoppedBy }) => `| \`${id}\` | ${tries} | ${stoppedBy} |`),
  );
  expect(new Set(ALL_ATTACKS.map(({ id }) => id)).size).toBe(ALL_ATTACKS.length);
});

test("what is different in the profile dev has its row in the documentation, in the same words, and there is no other row", () => {
  const [, section = ""] = readFileSync(PAGE, "utf8").split(DEV);
  expect(rowsOf(section)).toEqual(
    INSIDE_ATTACKS.flatMap(({ id, dev }) => (dev === undefined ? [] : [`| \`${id}\` | ${dev.may} | ${dev.tries} |`])),
  );
});

test("the documentation names the attacks on sandboxd that run on containerd", () => {
  const [, named = ""] = /of sandboxd\n([^]*?)\. The others/.exec(readFileSync(PAGE, "utf8")) ?? [];
  expect(named.match(/(?<=`)sandboxd\.[a-z]+(?=`)/g)).toEqual(SANDBOXD_ON_CONTAINERD);
  const ids = ALL_ATTACKS.map(({ id }) => id);
  expect(SANDBOXD_ON_CONTAINERD.filter((id) => !ids.includes(id))).toEqual([]);
});
