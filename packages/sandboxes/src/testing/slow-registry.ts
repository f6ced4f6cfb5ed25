import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { TAR_END, tarHeader, tarPadding } from "../directory-tar.ts";

/** A registry of this machine with one image, whose layer stops in its middle. */
export type SlowRegistry = {
  /** How the image is named. */
  readonly reference: string;
  /** Lets the rest of the layer go. */
  readonly release: () => void;
  readonly close: () => void;
};

const LAYER_BYTES = 8_000_000;
const PIECE_BYTES = 200_000;
const PIECE_EVERY_MS = 20;
const TYPES = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

type Blob = { readonly digest: string; readonly type: string; readonly bytes: Buffer };

/**
 * Serves an image by plain HTTP, which runtimes speak to this machine.
 * Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md, "Pull"
 */
export async function slowRegistry(): Promise<SlowRegistry> {
  const released = Promise.withResolvers<void>();
  const { manifest, blobs } = image();
  const server = createServer((request, response) => {
    const wanted = request.url?.split("/").at(-1) ?? "";
    const found = request.url?.includes("/manifests/") === true ? manifest : blobs.get(wanted);
    if (request.url === "/v2/") return void response.end("{}");
    if (found === undefined) return void response.writeHead(404).end();
    const headers = { "content-type": found.type, "content-length": found.bytes.length };
    response.writeHead(200, { ...headers, "docker-content-digest": found.digest });
    if (request.method === "HEAD") return void response.end();
    if (found.type === TYPES.layer) return slowly(response, found.bytes, released.promise);
    response.end(found.bytes);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = () => {
    released.resolve();
    server.close();
    server.closeAllConnections();
  };
  return { reference: `127.0.0.1:${port}/handrail-test/slow:1`, release: released.resolve, close };
}

/** An image of one layer, of which no byte was ever seen before. */
function image() {
  const bytes = randomBytes(LAYER_BYTES);
  const header = tarHeader({ name: "file", type: "file", bytes: bytes.length, mode: 0o644 });
  const tar = Buffer.concat([header, bytes, tarPadding(bytes.length), TAR_END]);
  const layer = blobOf(TYPES.layer, gzipSync(tar, { level: 0 }));
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const rootfs = { type: "layers", diff_ids: [digestOf(tar)] };
  const config = blobOf(TYPES.config, Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs })));
  const parts = { config: describedBy(config), layers: [describedBy(layer)] };
  const text = JSON.stringify({ schemaVersion: 2, mediaType: TYPES.manifest, ...parts });
  const blobs = new Map([layer, config].map((blob) => [blob.digest, blob]));
  return { manifest: blobOf(TYPES.manifest, Buffer.from(text)), blobs };
}

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const blobOf = (type: string, bytes: Buffer): Blob => ({ digest: digestOf(bytes), type, bytes });
const describedBy = ({ digest, type, bytes }: Blob) => ({ mediaType: type, size: bytes.length, digest });

/** The first half comes bit by bit, as from afar: a daemon tells of a burst only once. */
function slowly(response: ServerResponse, bytes: Buffer, released: Promise<void>): void {
  const half = Math.floor(bytes.length / 2);
  let sent = 0;
  const timer = setInterval(() => {
    const next = Math.min(half, sent + PIECE_BYTES);
    response.write(bytes.subarray(sent, next));
    sent = next;
    if (sent === half) clearInterval(timer);
  }, PIECE_EVERY_MS);
  response.once("close", () => clearInterval(timer));
  released.then(
    () => {
      clearInterval(timer);
      response.end(bytes.subarray(sent));
    },
    () => undefined,
  );
}
