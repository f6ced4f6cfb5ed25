import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree } from "@handrail/protocol/snapshots";
import { afterAll, expect, test } from "vitest";
import { blobsIn, reachableTrees } from "./closure.ts";
import { collectCheckpoints } from "./collect.ts";
import { type Lineage } from "./lineage.ts";
import { nameOf } from "./object-content.ts";
import { lineagesOf } from "./lineages.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-killed-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const KEY = Buffer.alloc(32, 5);

/** Keeps snapshots of a fresh file of 4 MB one after another, and says of each when it is kept. */
const WRITER = `
import { randomBytes } from "node:crypto";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree } from "@handrail/protocol/snapshots";
import { Lineage } from ${JSON.stringify(join(import.meta.dirname, "lineage.ts"))};
import { nameOf } from ${JSON.stringify(join(import.meta.dirname, "object-content.ts"))};
const lineage = new Lineage("family", directoryStore(process.argv[1]), Buffer.alloc(32, 5));
const object = (kind, data) => ({ name: nameOf(kind, data), kind, size: data.length,
  frame: encodeObjectFrame({ kind, packed: false, size: data.length, data }) });
for (let number = 0; ; number++) {
  const blob = object("blob", randomBytes(4_000_000));
  const file = { type: "file", name: "a", mode: 0o644, mtime: "0", size: blob.size, blobs: [blob.name] };
  const tree = object("tree", encodeTree({ mode: 0o755, mtime: "0", entries: [file] }));
  await lineage.addIndex(await lineage.putPack([blob, tree]));
  await lineage.references.add({ conversationId: "one", checkpointId: "k" + number, root: tree.name });
  process.stdout.write("k" + number + "\\n");
}`;

/** Keeps snapshots in a process of its own until a few are kept, then kills it; answers which it said are kept. */
async function killedWriter(store: string): Promise<string[]> {
  const args = ["--input-type=module", "-e", WRITER, store];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    // While it writes the next: it goes on right after it has said so.
    if (said.length === 3) child.kill("SIGKILL");
  }
  await closed;
  return said;
}

async function readAll(lineage: Lineage): Promise<string[]> {
  const references = await lineage.references.all();
  for (const { root } of references) {
    const trees = await reachableTrees(root, async (names) => new Map(await lineage.trees(names)));
    const blobs = [...(await blobsIn(trees.values()))];
    expect([...(await lineage.blobs(blobs)).keys()].toSorted()).toEqual(blobs.toSorted());
  }
  return references.map(({ checkpointId }) => checkpointId);
}

test("a server that is killed while it keeps a snapshot loses none, leaves nothing, and the next one works", async () => {
  const said = await killedWriter(directory);
  expect(said.slice(0, 3)).toEqual(["k0", "k1", "k2"]);
  // What a kill in the middle of a file leaves, wherever the kill was.
  writeFileSync(join(directory, "family/packs/.0123456789abcdef"), "half");
  writeFileSync(join(directory, `family/packs/${"0".repeat(32)}`), "a pack that no index names");
  const store = directoryStore(directory);
  const lineages = lineagesOf(async () => store, KEY);
  expect(await lineages.use("family", (lineage) => readAll(lineage))).toEqual(expect.arrayContaining(said));

  const data = encodeTree({ mode: 0o755, mtime: "7", entries: [] });
  const root = nameOf("tree", data);
  await lineages.use("family", async (lineage) => {
    const frame = encodeObjectFrame({ kind: "tree", packed: false, size: data.length, data });
    await lineage.addIndex(await lineage.putPack([{ name: root, kind: "tree", size: data.length, frame }]));
    await lineage.references.add({ conversationId: "one", checkpointId: "next", root });
  });
  await collectCheckpoints(lineages, async () => true);
  expect(await lineages.use("family", (lineage) => readAll(lineage))).toEqual(
    expect.arrayContaining([...said, "next"]),
  );
  const objects = await lineages.use("family", (lineage) => lineage.objects());
  const named = new Set(Array.from(objects.values(), ({ pack }) => pack.slice(pack.lastIndexOf("/") + 1)));
  expect(readdirSync(join(directory, "family/packs")).toSorted()).toEqual([...named].toSorted());
});
