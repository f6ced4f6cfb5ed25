import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { sqliteLogStore } from "./sqlite-log-store.ts";

const WRITER = (file: string) => `
  import { sqliteLogStore } from ${JSON.stringify(join(import.meta.dirname, "sqlite-log-store.ts"))};
  import { sampleAppend } from "@handrail/core/testing/log-samples";
  const store = await sqliteLogStore({ file: ${JSON.stringify(file)} });
  const write = async (id) => {
    for (let seq = (await store.read(id, -1, 1e6)).length; ; seq += 2) {
      await store.append(sampleAppend(id, seq, ["a" + seq, "b" + seq]));
      process.stdout.write(id + " " + (seq + 1) + "\\n");
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => write("c_" + index)));`;

/** Starts writers, kills them after a while, and gives the last number of each log that they had acknowledged. */
async function writeAndKill(file: string, afterMs: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER(file)], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  await once(child.stdout, "data");
  const closed = once(child, "close");
  await sleep(afterMs);
  child.kill("SIGKILL");
  await closed;
  const lines = output.slice(0, output.lastIndexOf("\n")).split("\n");
  return new Map(lines.map((line) => line.split(" ")).map(([id = "", seq]) => [id, Number(seq)]));
}

test("after kill -9 every acknowledged event is there, no append is there in half, and writing goes on", async () => {
  const directory = mkdtempSync(join(tmpdir(), "crash-"));
  const file = join(directory, "a.db");
  for (let round = 0; round < 12; round++) {
    const acknowledged = await writeAndKill(file, 5 + round * 13);
    expect(acknowledged.size).toBeGreaterThan(0);
    const store = await sqliteLogStore({ file });
    for (const [id, seq] of acknowledged) {
      const events = await store.read(id, -1, 1e6);
      expect(events.length).toBeGreaterThan(seq);
      expect(events.length % 2).toBe(0);
      expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
      expect((await store.summary(id)).head).toBe(events.length - 1);
    }
    await store.close();
  }
  rmSync(directory, { recursive: true });
});
