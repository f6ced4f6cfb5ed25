import { expect, test } from "vitest";
import { DockerError } from "./docker-error.ts";
import { dockerImages, type ImageClient } from "./docker-image.ts";

const never = new AbortController().signal;
const OURS = process.arch === "x64" ? "amd64" : process.arch;
const OTHERS = OURS === "amd64" ? "arm64" : "amd64";

/** A daemon that has these images, by reference with their processor, and can pull the others of `registry`. */
function daemon(present: Readonly<Record<string, string>>, registry: Readonly<Record<string, string>> = {}) {
  const images = new Map(Object.entries(present));
  const pulled: string[] = [];
  const client: ImageClient = {
    findImage: async (reference) => {
      const architecture = images.get(reference);
      return architecture === undefined ? undefined : { id: `id of ${reference}`, architecture, volumes: [] };
    },
    pullImage: async (reference, onProgress) => {
      pulled.push(reference);
      const architecture = registry[reference];
      if (architecture === undefined) throw new DockerError(404, "not found");
      onProgress({ id: "a", status: "Downloading", current: 1e6, total: 2e6 });
      images.set(reference, architecture);
    },
    importImage: async () => undefined,
  };
  const source = { defaultImage: "usual:1", fallbackImage: "fallback:1", cacheDirectory: "/nonexistent" };
  const said: string[] = [];
  const ensure = (image?: string) =>
    dockerImages(client, source, never).ensure({ image, onProgress: (text) => said.push(text), signal: never });
  return { ensure, pulled, said };
}

test("an image that is there is taken as it is, the conversation's own before the server's", async () => {
  const { ensure, pulled } = daemon({ "usual:1": OURS, "own:1": OURS });
  expect(await ensure()).toEqual({ id: "id of usual:1", architecture: OURS, volumes: [], reference: "usual:1" });
  expect((await ensure("own:1")).reference).toBe("own:1");
  expect(pulled).toEqual([]);
});

test("an image that is not there is pulled, and that is said with how far it is", async () => {
  const { ensure, said } = daemon({}, { "own:1": OURS });
  expect(await ensure("own:1")).toEqual({ id: "id of own:1", architecture: OURS, volumes: [], reference: "own:1" });
  expect(said).toEqual(["Pulling image own:1.", "Pulling image own:1, 1 of 2 MB."]);
});

test("an image for another processor is refused with what to do, whether it was there or was pulled", async () => {
  const { ensure } = daemon({ "there:1": OTHERS }, { "far:1": OTHERS });
  const refused = {
    code: "image_unavailable",
    message: expect.stringMatching(`is for ${OTHERS}, and this machine is ${OURS}\\. Choose an image for ${OURS}\\.$`),
  };
  await expect(ensure("there:1")).rejects.toMatchObject(refused);
  await expect(ensure("far:1")).rejects.toMatchObject(refused);
});

test("an image that cannot be pulled is refused with the daemon's reason and what to do", async () => {
  await expect(daemon({}).ensure("none:1")).rejects.toMatchObject({
    code: "image_unavailable",
    message: expect.stringMatching(/could not be pulled \(not found\)\. Check its name.*docker pull/),
  });
});
