import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "../run-program.ts";
import { newDisk } from "./new-disk.ts";

const GIB = 1024 ** 3;

test("a new disk of 10 GiB is some kilobytes, and a sound file system when it is put together again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-disk-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { bytes, extents, data } = await newDisk(10 * GIB);
  expect({ bytes, small: data.length < 16_384 }).toEqual({ bytes: 10 * GIB, small: true });
  const image = join(directory, "image");
  const file = await open(image, "w");
  await file.truncate(bytes);
  const content = zstdDecompressSync(Buffer.from(data, "base64"));
  let from = 0;
  for (const [at, length] of extents) {
    await file.write(content, from, length, at);
    from += length;
  }
  await file.close();
  expect({ from, blocks: (await stat(image)).blocks * 512 < 1024 ** 2 }).toEqual({
    from: content.length,
    blocks: true,
  });
  expect(await runProgram("e2fsck", ["-f", "-n", image])).toMatchObject({ code: 0 });
});
