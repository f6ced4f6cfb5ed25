import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { TAR_END, tarHeader, tarPadding } from "../directory-tar.ts";
import { imageArchive } from "./image-archive.ts";
import { pauseProgram } from "./pause-program.ts";

const SIGCHLD = 17n;

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-pause-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const hasPause = process.arch === "x64" || process.arch === "arm64";
if (!hasPause) process.stdout.write(`The pause program is not tested: there is none for ${process.arch}.\n`);

test.skipIf(!hasPause)(
  "the pause program sleeps, ignores the end of children, and ends when it is told to",
  async () => {
    const program = join(await folder(), "pause");
    await writeFile(program, pauseProgram(process.arch === "arm64" ? "arm64" : "x64"), { mode: 0o755 });
    const child = spawn(program, { stdio: "ignore" });
    const exited = once(child, "exit");
    await once(child, "spawn");
    const ignored = async () => {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      return BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
    };
    await expect.poll(ignored).toBe(1n << (SIGCHLD - 1n));
    child.kill("SIGTERM");
    expect(await exited).toEqual([null, "SIGTERM"]);
  },
);

test("both programs are one file of some 200 bytes for their processor", () => {
  expect(pauseProgram("x64").readUInt16LE(18)).toBe(62);
  expect(pauseProgram("arm64").readUInt16LE(18)).toBe(183);
  expect([pauseProgram("x64").length, pauseProgram("arm64").length]).toEqual([186, 208]);
});

test("an image is an archive that tar reads, its layer named by its hash", async () => {
  const content = Buffer.from("hello");
  const header = tarHeader({ name: "greeting", type: "file", bytes: content.length, mode: 0o644 });
  const layer = Buffer.concat([header, content, tarPadding(content.length), TAR_END]);
  const parts = { reference: "x:1", config: { Cmd: ["sh"] }, layer: { bytes: layer.length, content: [layer] } };
  const archive = join(await folder(), "image.tar");
  await writeFile(archive, await buffer(Readable.from(imageArchive(parts))));
  const tar = (...args: string[]) => spawnSync("tar", args, { encoding: "utf8" });
  expect(tar("-tf", archive).stdout).toBe("layer.tar\nconfig.json\nmanifest.json\n");
  const config = JSON.parse(tar("-xOf", archive, "config.json").stdout) as { readonly rootfs: unknown };
  const hash = spawnSync("sha256sum", { input: layer, encoding: "utf8" }).stdout.slice(0, 64);
  expect(config.rootfs).toEqual({ type: "layers", diff_ids: [`sha256:${hash}`] });
  expect(JSON.parse(tar("-xOf", archive, "manifest.json").stdout)).toEqual([
    { Config: "config.json", RepoTags: ["x:1"], Layers: ["layer.tar"] },
  ]);
});
