import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeDisk } from "./workspace-disk.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

test("a new disk takes next to nothing of the host, however large it is", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-disk-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const [image, content] = [join(directory, "image"), join(directory, "content")];
  await mkdir(content);
  await makeDisk(image, content, 10 * GIB);
  const { size, blocks } = await stat(image);
  expect({ size, small: blocks * 512 < MIB }).toEqual({ size: 10 * GIB, small: true });
});
