// Checks every import of every package against the table in layers.ts, and that no test mocks a module.
// Exits 1 with one line a violation; also when it finds no files, so that it cannot pass by looking nowhere.
import { readFileSync } from "node:fs";
import { globSync } from "node:fs";
import path from "node:path";
import { ADAPTERS, COMPOSITION, FOLDERS, LAYERS } from "./layers.ts";

type File = { readonly path: string; readonly text: string };

const IMPORT = /(?:^|[\s;])(?:import|export)\s(?:[^"';]*?\sfrom\s)?["']([^"']+)["']|import\(\s*["']([^"']+)["']/g;

/** What is wrong with these files, a line each. */
export function violations(files: readonly File[]): string[] {
  return files.flatMap((file) => [...importViolations(file), ...folderViolations(file), ...mockViolations(file)]);
}

function importViolations({ path, text }: File): string[] {
  const from = packageOf(path);
  const layer = from === undefined ? undefined : LAYERS[from];
  if (from === undefined) return [];
  if (layer === undefined) return [`${path}: package ${from} is not in scripts/layers.ts`];
  return specifiers(text).flatMap((specifier) => {
    if (/^(\.\.\/)+packages\//.test(specifier) || /\/(?:\.\.\/)*(?:packages)\//.test(specifier)) {
      return [`${path}: imports ${specifier}: name the package instead`];
    }
    const to = /^@handrail\/([^/]+)/.exec(specifier)?.[1];
    if (to === undefined || to === from) return [];
    if (!layer.may.includes(to)) return [`${path}: ${from} must not import ${to}`];
    if (from === "server" && ADAPTERS.includes(to) && !mayCompose(path)) {
      return [`${path}: only ${COMPOSITION.join(" and ")} may import the adapter ${to}`];
    }
    return [];
  });
}

function folderViolations({ path: file, text }: File): string[] {
  if (isForTests(file)) return [];
  return Object.entries(FOLDERS).flatMap(([root, { apart, shared }]) => {
    const own = folderIn(root, file);
    if (own === undefined || ![...apart, ...shared].includes(own)) return [];
    const folders = specifiers(text)
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => folderIn(root, path.posix.join(path.posix.dirname(file), specifier)));
    const wrong = folders.filter((to) => to !== undefined && to !== own && apart.includes(to));
    return wrong.map((to) => `${file}: the folder ${own} must not know ${to}`);
  });
}

/** The folder of `root` that a file is in; undefined: none, it is beside them or elsewhere. */
const folderIn = (root: string, file: string) =>
  file.startsWith(`${root}/`) ? /^([^/]+)\//.exec(file.slice(root.length + 1))?.[1] : undefined;

function mockViolations({ path, text }: File): string[] {
  return /\bvi\.(?:mock|doMock)\(/.test(text) ? [`${path}: mocks a module; pass a scripted port instead`] : [];
}

const specifiers = (text: string) => [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");
const packageOf = (path: string) => /^packages\/([^/]+)\//.exec(path)?.[1];
const isForTests = (path: string) => path.endsWith(".test.ts") || path.includes("/testing/");
const mayCompose = (path: string) => COMPOSITION.some((place) => path.startsWith(place)) || isForTests(path);

if (import.meta.main) {
  const paths = globSync("packages/*/src/**/*.{ts,tsx}");
  const found = violations(paths.map((path) => ({ path, text: readFileSync(path, "utf8") })));
  if (paths.length === 0) found.push("no files found: run from the project's root");
  for (const line of found) console.error(line);
  console.log(`layers: ${paths.length} files, ${found.length} violations`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
