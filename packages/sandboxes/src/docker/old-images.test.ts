import { expect, test } from "vitest";
import { madeNames } from "../labels/made-names.ts";
import { DockerError } from "./docker-error.ts";
import { BUILT_IMAGE } from "./docker-image.ts";
import { removeOldImages } from "./old-images.ts";

const OLD = "handrail/sandbox:0123456789ab";
const OLDER = "handrail/sandbox:ba9876543210";

type Images = Readonly<Record<string, readonly string[]>>;

/** What is removed of images with these references, by when they were made; those in `used` a container is made of. */
async function removedOf(images: Images, used: readonly string[] = []): Promise<readonly string[]> {
  const removed: string[] = [];
  const listed = Object.entries(images).map(([createdAtMs, references]) => ({
    references,
    createdAtMs: Number(createdAtMs),
  }));
  const client = {
    listImages: async (labels: readonly string[]) => (labels.join(",") === "handrail.image=a" ? listed : []),
    removeImage: async (reference: string) => {
      if (used.includes(reference)) throw new DockerError(409, "image is being used");
      removed.push(reference);
    },
  };
  await removeOldImages({ client, names: madeNames("a") });
  return removed;
}

test("default images of earlier recipes go once there is a newer one", async () => {
  expect(await removedOf({ 1: [OLDER], 2: [OLD], 3: [BUILT_IMAGE] })).toEqual([OLDER, OLD]);
  const named = (reference: string) => `localhost/${reference}`;
  expect(await removedOf({ 1: [named(OLD)], 3: [named(BUILT_IMAGE)] })).toEqual([named(OLD)]);
});

test.each<readonly [string, Images, readonly string[]]>([
  ["that are the only ones", { 1: [OLD] }, []],
  ["that a container is made of", { 1: [OLD], 2: [BUILT_IMAGE] }, [OLD]],
  ["of a later recipe", { 1: [BUILT_IMAGE], 2: [OLD] }, []],
  [
    "under names that somebody gave",
    { 1: ["theirs/sandbox:0123456789ab", "handrail/sandbox:mine"], 2: [BUILT_IMAGE] },
    [],
  ],
])("default images stay %s", async (_what, images, used) => {
  expect(await removedOf(images, used)).toEqual([]);
});

test("what the daemon fails at is told, once all was tried", async () => {
  const tried: string[] = [];
  const client = {
    listImages: async () => [
      { references: [OLD, OLDER], createdAtMs: 1 },
      { references: [BUILT_IMAGE], createdAtMs: 2 },
    ],
    removeImage: async (reference: string) => {
      tried.push(reference);
      throw new DockerError(500, "no");
    },
  };
  await expect(removeOldImages({ client, names: madeNames("a") })).rejects.toEqual(new DockerError(500, "no"));
  expect(tried).toEqual([OLD, OLDER]);
});
