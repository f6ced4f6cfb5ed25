import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ERRORS } from "../packages/protocol/src/errors.ts";
import { ISOLATION_RULES } from "../packages/core/src/testing/sandbox-isolation-rules.ts";
import type { Option } from "../packages/server/src/config/option.ts";
import { OPTIONS, optionKey } from "../packages/server/src/config/options.ts";

const ROOT = path.join(import.meta.dirname, "..");
const PAGES = [
  ...globSync("*.md", { cwd: ROOT }),
  ...globSync("docs/**/*.md", { cwd: ROOT }),
  ...globSync("deploy/**/*.md", { cwd: ROOT }),
].toSorted();

const textOf = (page: string) => readFileSync(path.join(ROOT, page), "utf8");

/** The text without code, in which brackets mean something else. */
const proseOf = (page: string) =>
  textOf(page)
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");

/** First cells of a page's table rows that are code. */
const firstCells = (page: string) => [...textOf(page).matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell ?? "");

/** A cell's words as `--help` writes them. */
const plain = (cell: string) =>
  cell
    .replace(/ \|$/, "")
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("`", "");

/** Anchors as forges make them of headings. */
const anchorsOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );

function brokenLinks(page: string): readonly string[] {
  const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? "");
  return targets.filter((target) => !/^[a-z]+:/.test(target)).filter((target) => !leadsSomewhere(page, target));
}

function leadsSomewhere(page: string, target: string): boolean {
  const [file = "", anchor] = target.split("#");
  const found = file === "" ? page : path.normalize(path.join(path.dirname(page), file));
  if (!existsSync(path.join(ROOT, found))) return false;
  return anchor === undefined || (found.endsWith(".md") && anchorsOf(found).includes(anchor));
}

describe("the documentation", () => {
  test("has a row for every error code, with whether the same request may be repeated, and for no other", () => {
    const rows = textOf("docs/guide/troubleshoot.md").matchAll(/^\| `([a-z_]+)` \| (yes|no) \|/gm);
    const documented = [...rows].map(([, code, again]) => `${code} ${again}`);
    const table = Object.entries(ERRORS).map(([code, { retryable }]) => `${code} ${retryable ? "yes" : "no"}`);
    expect(documented.toSorted()).toEqual(table.toSorted());
  });

  test("has a row for every line that the sandboxes' profiles are tested for, and for no other", () => {
    const rows = textOf("docs/guide/secure.md").matchAll(/^\| (.+) \| (yes|no) \| (yes|no) \| (yes|no) \|$/gm);
    const documented = [...rows].map(([, what, strict, usual, dev]) => ({ what, strict, default: usual, dev }));
    const tested = ISOLATION_RULES.map(({ what, strict, default: usual, dev }) => ({
      what,
      strict,
      default: usual,
      dev,
    }));
    expect(documented).toEqual(tested);
  });

  test("says of every setting what --help says of it, and may add to that, and has the same default", () => {
    const rows = textOf("docs/guide/configure.md").split("\n");
    const seen = Object.entries<Option>(OPTIONS).map(([name, { env, help }]) => {
      const cells = rows.find((row) => row.includes(` | \`${env[0]}\``))?.split(" | ") ?? [];
      const [standard = "", meaning = ""] = cells.slice(3).map(plain);
      const [words = "", given] = help.split(/ ?Default:? (.+)\.$/);
      const same = meaning.startsWith(words) && (given === undefined || given === standard);
      return same ? [] : [{ name, help, standard, meaning }];
    });
    expect(seen.flat()).toEqual([]);
  });

  test("has a row for every setting, with its flag, its variables and its key", () => {
    const page = textOf("docs/guide/configure.md");
    const expected = Object.entries<Option>(OPTIONS).map(([name, { env, secret }]) => {
      const key = optionKey(name);
      const flag = secret === true ? "none" : `\`--${key}\``;
      // The file is in the state directory, so it cannot say where that is.
      const inFile = name === "home" ? "none" : `\`${key}\``;
      return `| ${flag} | ${env.map((variable) => `\`${variable}\``).join(", ")} | ${inFile} |`;
    });
    expect(expected.filter((row) => !page.includes(row))).toEqual([]);
  });

  test("has a row for every file and directory that the server makes in its state directory", () => {
    const sources = globSync("packages/server/src/**/*.ts", { cwd: ROOT, exclude: ["**/*.test.ts", "**/testing/**"] });
    const names = sources.flatMap((source) =>
      Array.from(textOf(source).matchAll(/join\((?:config\.)?home, "([^".][^"]*)"\)/g), ([, name]) => name ?? ""),
    );
    expect(names).toContain("sandboxes");
    const [, section = ""] = textOf("docs/guide/configure.md").split("\n## The state directory\n");
    const has = (name: string) => section.includes(`| \`${name}`);
    expect(names.filter((name) => !has(name))).toEqual([]);
  });

  test("says of every backend what its sandboxes hold", () => {
    const [, heads = ""] = textOf("docs/guide/secure.md").split("## What a sandbox holds\n\n");
    const [first = ""] = heads.split("\n");
    expect(["docker", "containerd", "process", "none"].filter((name) => !first.includes(name))).toEqual([]);
  });

  test("lists the metrics that the server has, and no other", () => {
    const source = readFileSync(path.join(ROOT, "packages/server/src/metrics.ts"), "utf8");
    const names = [...source.matchAll(/"(handrail_[a-z_]+)"/g)].map(([, name]) => name ?? "");
    const documented = firstCells("docs/guide/operate.md").filter((cell) => cell.startsWith("handrail_"));
    expect(documented.toSorted()).toEqual(names.toSorted());
  });

  test.each(PAGES)("%s links only to what is there", (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });
});
