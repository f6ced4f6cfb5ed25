import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { requireSandboxdBuilt } from "../packages/sandboxd/build.ts";

const RUN = "so sandboxes would not answer. Run: node packages/sandboxd/build.ts";

test("tests with sandboxes are told in one sentence what to run when sandboxd is not built from what is here", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "handrail-built-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  expect(() => requireSandboxdBuilt(directory)).toThrow(`sandboxd is not built, ${RUN}`);
  mkdirSync(path.join(directory, "portable"));
  for (const name of ["sandboxd", "rg", "portable/sandboxd", "portable/rg"])
    writeFileSync(path.join(directory, name), "");
  writeFileSync(path.join(directory, "manifest.json"), '{"version":"0123456789abcdef"}\n');
  expect(() => requireSandboxdBuilt(directory)).toThrow(`sandboxd was built from other sources than are here, ${RUN}`);
});
