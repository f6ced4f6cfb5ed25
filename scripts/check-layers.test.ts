import { expect, test } from "vitest";
import { violations } from "./check-layers.ts";

const file = (path: string, text: string) => ({ path, text });

test("a lower package that imports a higher one is named", () => {
  const text = `import { startServer } from "@handrail/server/main";`;
  expect(violations([file("packages/core/src/a.ts", text)])).toEqual([
    "packages/core/src/a.ts: core must not import server",
  ]);
});

test("adapters do not import each other, not even lazily", () => {
  const text = `const logs = await import("@handrail/logs/sqlite");`;
  expect(violations([file("packages/models/src/a.ts", text)])).toEqual([
    "packages/models/src/a.ts: models must not import logs",
  ]);
});

test("kinds of sandboxes do not know each other, and what they share knows none of them", () => {
  const text = `import { a } from "../docker/a.ts";\nimport { b } from "../disk/b.ts";`;
  expect(violations([file("packages/sandboxes/src/containerd/a.ts", text)])).toEqual([
    "packages/sandboxes/src/containerd/a.ts: the folder containerd must not know docker",
  ]);
  expect(violations([file("packages/sandboxes/src/disk/a.ts", text)])).toEqual([
    "packages/sandboxes/src/disk/a.ts: the folder disk must not know docker",
  ]);
  for (const place of ["docker/a.ts", "containerd/a.test.ts", "testing/a.ts"])
    expect(violations([file(`packages/sandboxes/src/${place}`, text)])).toEqual([]);
});

test("in the server only the composition knows an adapter", () => {
  const text = `import { sqliteLog } from "@handrail/logs/sqlite-log";`;
  expect(violations([file("packages/server/src/routes.ts", text)])).toHaveLength(1);
  expect(violations([file("packages/server/src/compose/logs.ts", text)])).toEqual([]);
});

test("imports within the table pass, over several lines too", () => {
  const text = `import {\n  AppError,\n} from "@handrail/protocol/errors";\nexport * from "./b.ts";`;
  expect(violations([file("packages/core/src/a.ts", text)])).toEqual([]);
});

test("a package that the table does not know is named", () => {
  expect(violations([file("packages/extra/src/a.ts", "")])).toEqual([
    "packages/extra/src/a.ts: package extra is not in scripts/layers.ts",
  ]);
});

test("a mocked module is refused", () => {
  const text = `vi.mock("./b.ts");`;
  expect(violations([file("packages/core/src/a.test.ts", text)])).toHaveLength(1);
});
