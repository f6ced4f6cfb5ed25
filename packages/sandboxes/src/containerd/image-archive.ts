import { createHash } from "node:crypto";
import { tarHeader, TAR_END, tarPadding } from "../directory-tar.ts";

/** An image of one layer. */
export type ImageParts = {
  /** `name:tag`. */
  readonly reference: string;
  /** The `config` of the image, such as `{ Entrypoint: ["/pause"] }`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The root file system as an uncompressed tar of `bytes` bytes. */
  readonly layer: { readonly bytes: number; readonly content: AsyncIterable<Buffer> | Iterable<Buffer> };
};

/**
 * An image as `docker save` writes it and every runtime reads it. The layer comes first, so that it is read only once:
 * the rest names its hash.
 * Source: https://github.com/moby/docker-image-spec/blob/main/v1.1.md, "Combined Image JSON + Filesystem Changeset"
 */
export async function* imageArchive({ reference, config, layer }: ImageParts): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  yield tarHeader({ name: "layer.tar", type: "file", bytes: layer.bytes, mode: 0o644 });
  for await (const part of layer.content) {
    hash.update(part);
    yield part;
  }
  yield tarPadding(layer.bytes);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const rootfs = { type: "layers", diff_ids: [`sha256:${hash.digest("hex")}`] };
  yield* jsonFile("config.json", { architecture, os: "linux", config, rootfs });
  yield* jsonFile("manifest.json", [{ Config: "config.json", RepoTags: [reference], Layers: ["layer.tar"] }]);
  yield TAR_END;
}

function* jsonFile(name: string, value: unknown): Generator<Buffer> {
  const text = Buffer.from(JSON.stringify(value));
  yield tarHeader({ name, type: "file", bytes: text.length, mode: 0o644 });
  yield text;
  yield tarPadding(text.length);
}
