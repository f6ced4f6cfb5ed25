import { expect, test } from "vitest";
import { handOver, volumesByImage } from "./containerd-images.ts";
import type { Importer } from "./import-image.ts";

const IMAGE = { reference: "docker.io/handrail/pause:1", config: {}, layer: { bytes: 0, content: [] } };

/** Hands an image to a runtime that knows it after some questions, by a program that fails with these words. */
async function handed(words: string): Promise<number> {
  const importer: Importer = ["sh", "-c", `cat > /dev/null; echo '${words}' >&2; exit 1`];
  let asked = 0;
  const findImage = async () => (++asked > 2 ? "an id" : undefined);
  await handOver({ findImage }, importer, IMAGE, AbortSignal.timeout(10_000));
  return asked;
}

test("an image that another server has handed over meanwhile is there", async () => {
  expect(await handed('ctr: image "docker.io/handrail/pause:1": already exists')).toBe(3);
});

test("an image that is refused for another reason is not", async () => {
  await expect(handed("ctr: no space left on device")).rejects.toMatchObject({ code: "image_unavailable" });
});

test("volumes are asked for once of each image, by its id; those of one without an id are not taken for another's", async () => {
  const asked: string[] = [];
  const ids: Readonly<Record<string, string>> = { "a:1": "one", "a:latest": "one", "b:1": "two" };
  const volumesOf = volumesByImage({
    findImage: async (image) => ids[image],
    imageVolumes: async (image) => {
      asked.push(image);
      return [`/${image}`];
    },
  });
  const signal = new AbortController().signal;
  const told: unknown[] = [];
  for (const [image, found] of [["a:1", "one"], ["a:latest"], ["b:1"], ["c:1"], ["d:1"]] as const) {
    told.push(await volumesOf(image, found, signal));
  }
  expect(told).toEqual([["/a:1"], ["/a:1"], ["/b:1"], ["/c:1"], ["/d:1"]]);
  expect(asked).toEqual(["a:1", "b:1", "c:1", "d:1"]);
});
