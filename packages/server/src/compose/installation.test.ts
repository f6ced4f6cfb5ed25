import { createHash } from "node:crypto";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openInstallation } from "./installation.ts";

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "handrail-installation-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
}

test("an installation keeps its id, and another at the same path has another", async () => {
  const home = await newHome();
  const id = await openInstallation(home);
  await writeFile(join(home, "handrail.sqlite"), "");
  expect([id, await openInstallation(home)]).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/), id]);
  await rename(home, `${home}-first`);
  onTestFinished(() => rm(`${home}-first`, { recursive: true, force: true }));
  await cp(await newHome(), home, { recursive: true });
  expect(await openInstallation(home)).not.toBe(id);
});

test("a state directory that was copied elsewhere is another installation there, and the same where it was", async () => {
  const [home, copy] = [await newHome(), await newHome()];
  const id = await openInstallation(home);
  await writeFile(join(home, "handrail.sqlite"), "");
  await cp(home, copy, { recursive: true });
  const other = await openInstallation(copy);
  expect(other).not.toBe(id);
  await rm(home, { recursive: true });
  await cp(copy, home, { recursive: true });
  expect([await openInstallation(home), await openInstallation(copy)]).toEqual([id, other]);
});

test("a state directory from before ids were kept goes on with the one of its path", async () => {
  const home = await newHome();
  await writeFile(join(home, "handrail.sqlite"), "");
  const before = createHash("sha256").update(home).digest("hex").slice(0, 12);
  expect([await openInstallation(home), await openInstallation(home)]).toEqual([before, before]);
});
