import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { DISK_MOUNT, DiskAnswer, KEEPER_READY, KEEPER_RELEASED } from "@handrail/protocol/sandboxd/disk-messages";
import type { UserNames } from "@handrail/protocol/sandboxd/disk-messages";
import { LABEL, type MadeNames } from "../labels/made-names.ts";
import { keeperContainer } from "./disk-keeper-container.ts";
import type { DockerClient } from "./docker-client.ts";
import { type InsideParts, insideOf } from "./runtime-kernel.ts";
import { makeVolume, removeOwnContainer } from "./own-things.ts";

type Wish = {
  /** Beside its files they lie. */
  readonly volume: string;
  /** Of it and of the keeper. */
  readonly labels: Readonly<Record<string, string>>;
  readonly bytes: number;
  /** Whose the files are that are made anew; undefined: they are there. */
  readonly owner: number | undefined;
  /** Are written beside them. */
  readonly names: UserNames | undefined;
};

/** Files that a keeper serves. */
export type KeptFiles = {
  /** What is beside the volume's files on the daemon's machine. */
  readonly place: string;
  /** Where the daemon's machine has them until they are released. */
  readonly directory: string;
  /** The keeper's name. */
  readonly keeper: string;
  /** Takes the mount away from there. Who has it keeps it, and with the last one the keeper ends. */
  release(): Promise<void>;
};

/** For the last one that held them the keeper waits 5 seconds. */
const READY_MS = 60_000;
const RELEASED_MS = 5_000;

/**
 * Has a keeper of their own serve the files beside a volume: a container that ends with the sandbox that has
 * them, and not with this process. @throws AppError `disk_full`, `sandbox_failed`; DockerError
 */
export async function keepFiles(
  parts: InsideParts,
  { volume, labels, bytes, owner, names: users }: Wish,
): Promise<KeptFiles> {
  const { client, names } = parts;
  const keeper = names.keeper(volume);
  const [inside, made] = await Promise.all([
    insideOf(parts),
    makeVolume(client, volume, labels),
    // One whose sandbox has ended.
    removeOwnContainer(parts, keeper),
  ]);
  const place = placeOf(volume, made.directory);
  const spec = keeperContainer({
    ...inside,
    labels: { ...labels, [LABEL.keeper]: keeper, ...names.madeHere() },
    directory: place,
    bytes,
    owner,
    names: users,
  });
  const conversation = await startKeeper(client, keeper, spec);
  const release = () => conversation.release();
  return { place, directory: join(place, DISK_MOUNT), keeper, release };
}

/** Whether the keeper of a sandbox runs, where it has one: without it the sandbox has no files. */
export async function hasItsFiles(
  client: Pick<DockerClient, "findContainer">,
  { labels }: { readonly labels: Readonly<Record<string, string>> },
): Promise<boolean> {
  const keeper = labels[LABEL.keeper];
  return keeper === undefined || (await client.findContainer(keeper))?.running === true;
}

/** Removes the keeper of a conversation, which has no sandbox any more. */
export async function removeKeeper(
  parts: { readonly client: DockerClient; readonly names: MadeNames },
  conversationId: string,
): Promise<void> {
  await removeOwnContainer(parts, parts.names.keeper(parts.names.disk(conversationId)));
}

async function startKeeper(client: DockerClient, name: string, spec: ReturnType<typeof keeperContainer>) {
  const container = await client.createContainer(name, spec);
  let complaints = "";
  try {
    const stream = await client.attach(
      container,
      (bytes) => (complaints = (complaints + bytes.toString()).slice(-1000)),
    );
    const said = linesOf(stream);
    await client.startContainer(container);
    const first = await soon(said.next(), READY_MS);
    if (first !== KEEPER_READY) throw failure(first, complaints);
    return { release: () => released(stream, said) };
  } catch (thrown) {
    await client.removeContainer(container);
    throw thrown;
  }
}

async function released(stream: Duplex, said: AsyncIterator<string>): Promise<void> {
  stream.end();
  const answer = await soon(said.next(), RELEASED_MS);
  stream.destroy();
  if (answer === KEEPER_RELEASED) return;
  throw new AppError("sandbox_failed", "The keeper of the workspace has ended.");
}

function linesOf(stream: Duplex): AsyncIterator<string> {
  const lines = createInterface({ input: stream });
  // It hands on the stream's errors, after which the stream is closed.
  lines.on("error", () => undefined);
  return lines[Symbol.asyncIterator]();
}

/** Undefined: nothing was said in time, or will be. */
async function soon(said: Promise<IteratorResult<string, unknown>>, withinMs: number): Promise<string | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), withinMs);
  try {
    const result = await Promise.race([said, late.promise]);
    return result?.done === false ? result.value : undefined;
  } finally {
    clearTimeout(timer);
  }
}

function failure(said: string | undefined, complaints: string): AppError {
  try {
    const { code = "sandbox_failed", message } = DiskAnswer.parse(JSON.parse(said ?? ""));
    return new AppError(code, message ?? "The workspace could not be mounted.");
  } catch {
    return new AppError("sandbox_failed", `The keeper of the workspace does not serve it. ${complaints}`.trim());
  }
}

/** @throws AppError `sandbox_failed` where volumes are not kept as the driver `local` keeps them */
function placeOf(volume: string, directory: string): string {
  const place = dirname(directory);
  if (basename(directory) === "_data" && basename(place) === volume) return place;
  throw new AppError("sandbox_failed", "The Docker daemon does not say where it keeps volumes.");
}
