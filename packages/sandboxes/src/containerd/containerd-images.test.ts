import { expect, test } from "vitest";
import { handOver } from "./containerd-images.ts";
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
