import { describe, expect, test } from "vitest";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

/** What every `CheckpointStore` does. `open` gives a new, empty one each time. */
export function checkpointStoreContract(name: string, open: () => Promise<CheckpointStore>): void {
  describe(name, () => {
    test("gives back what was put, whole and in ranges", async () => {
      const store = await open();
      await store.put("a/packs/1", bytes("0123456789"));
      expect(text(await store.get("a/packs/1"))).toBe("0123456789");
      expect(text(await store.get("a/packs/1", { offset: 3, length: 4 }))).toBe("3456");
      expect(text(await store.get("a/packs/1", { offset: 0, length: 10 }))).toBe("0123456789");
    });

    test("replaces what was there", async () => {
      const store = await open();
      await store.put("a/b", bytes("one"));
      await store.put("a/b", bytes("two, longer"));
      expect(text(await store.get("a/b"))).toBe("two, longer");
    });

    test("lists by prefix, in order, at any depth", async () => {
      const store = await open();
      for (const path of ["a/x/2", "a/x/1", "a/y", "ab/z", "b/x/1"]) await store.put(path, bytes(path));
      expect(await store.list("a/")).toEqual(["a/x/1", "a/x/2", "a/y"]);
      expect(await store.list("a/x/")).toEqual(["a/x/1", "a/x/2"]);
      expect(await store.list("")).toEqual(["a/x/1", "a/x/2", "a/y", "ab/z", "b/x/1"]);
      expect(await store.list("c/")).toEqual([]);
    });

    test("lists more than a page", { timeout: 60_000 }, async () => {
      const store = await open();
      const paths = Array.from({ length: 1100 }, (_, index) => `many/${String(index).padStart(4, "0")}`);
      for (let at = 0; at < paths.length; at += 50) {
        await Promise.all(paths.slice(at, at + 50).map((path) => store.put(path, bytes("x"))));
      }
      expect(await store.list("many/")).toEqual(paths);
    });

    test("removes, also what is not there", async () => {
      const store = await open();
      await store.put("a/b", bytes("one"));
      await store.remove("a/b");
      await store.remove("a/b");
      expect(await store.list("")).toEqual([]);
      await expect(store.get("a/b")).rejects.toMatchObject({ code: "checkpoint_damaged" });
    });

    test("refuses a range that is not there", async () => {
      const store = await open();
      await store.put("a/b", bytes("one"));
      await expect(store.get("a/b", { offset: 1, length: 10 })).rejects.toMatchObject({ code: "checkpoint_damaged" });
    });

    test("refuses paths that lead elsewhere", async () => {
      const store = await open();
      for (const path of ["../a", "a/../b", "/a", "a//b", "", ".a", "a/b\0"]) {
        await expect(Promise.resolve().then(() => store.put(path, bytes("x")))).rejects.toMatchObject({
          code: "internal",
        });
      }
    });
  });
}
