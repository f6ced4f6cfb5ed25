import type { Lineage, NamedFrame } from "./lineage.ts";
import type { StoredObject } from "./object-index.ts";

const PACK_BYTES = 32 * 1024 * 1024;

/** Puts more objects into a lineage in packs of a good size. They are not there before `addIndex`. */
export async function storeFrames(
  into: Lineage,
  frames: AsyncIterable<NamedFrame> | Iterable<NamedFrame>,
): Promise<ReadonlyMap<string, StoredObject>> {
  const stored = new Map<string, StoredObject>();
  let pack: NamedFrame[] = [];
  let bytes = 0;
  const flush = async () => {
    if (pack.length === 0) return;
    for (const [name, object] of await into.putPack(pack)) stored.set(name, object);
    pack = [];
    bytes = 0;
  };
  for await (const frame of frames) {
    pack.push(frame);
    bytes += frame.frame.length;
    if (bytes >= PACK_BYTES) await flush();
  }
  await flush();
  return stored;
}

/** Objects of one lineage, as another can store them. */
export async function* framesOf(from: Lineage, names: Iterable<string>): AsyncGenerator<NamedFrame> {
  const objects = await from.objects();
  for await (const some of from.frames(names)) {
    for (const { name, frame } of some) {
      const { kind = "blob", size = 0 } = objects.get(name) ?? {};
      yield { name, kind, size, frame };
    }
  }
}
