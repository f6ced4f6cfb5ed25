import { once } from "node:events";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import { DiskAnswer, type DiskRequest } from "@handrail/protocol/sandboxd/disk-messages";
import { diskHelperContainer } from "./disk-helper-container.ts";
import type { DockerClient } from "./docker-client.ts";
import type { DockerNames } from "./docker-names.ts";
import { LABEL } from "./docker-names.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import type { DockerVolumes } from "./docker-volumes.ts";
import { madeHere } from "./makers.ts";
import { nothingImage } from "./nothing-image.ts";
import type { ProgramsVolume } from "./programs-volume.ts";

type Parts = {
  readonly client: DockerClient;
  readonly names: DockerNames;
  readonly volumes: Pick<DockerVolumes, "programs">;
  readonly facts: () => Promise<DaemonInfo>;
};

type Asked<Request> = Request extends unknown ? Omit<Request, "id"> : never;

/** One that runs. */
type Running = {
  /** Where the daemon's machine has all volumes. */
  readonly directory: string;
  /** @throws AppError as the helper says, `HelperEnded` */
  ask(request: Asked<DiskRequest>): Promise<void>;
  end(): Promise<void>;
};

/** The helper was gone before it answered. */
class HelperEnded extends Error {
  override readonly name = "HelperEnded";
}

const FILL_PROGRAMS_MS = 300_000;
const END_MS = 2_000;

/**
 * A container that mounts disks where the daemon's machine sees them. It is started when it is asked for something, and
 * ends by itself when that was long ago or this process is gone.
 */
export type DiskHelper = ReturnType<typeof diskHelper>;

export function diskHelper(parts: Parts) {
  const id = newId("x", Date.now());
  let running: Promise<Running> | undefined;
  let closed = false;
  const forget = () => (running = undefined);
  const open = async () => {
    if (closed) throw new AppError("backend_unavailable", "The server is stopping.");
    running ??= start(parts, id, forget).catch((thrown: unknown) => {
      forget();
      throw thrown;
    });
    return running;
  };
  return {
    /** What its containers have in their label. */
    id,
    /** Where the daemon's machine has all volumes. @throws AppError, DockerError */
    directory: async () => (await open()).directory,
    /** @throws AppError `disk_full`, `sandbox_failed`; DockerError */
    ask: async (request: Asked<DiskRequest>): Promise<void> => {
      try {
        return await (await open()).ask(request);
      } catch (thrown) {
        if (!(thrown instanceof HelperEnded)) throw thrown;
        return await (await open()).ask(request).catch(explained);
      }
    },
    close: async (): Promise<void> => {
      closed = true;
      const ended = running?.then((helper) => helper.end()).catch(() => undefined);
      // One that is still being started ends with this process.
      await Promise.race([ended, delay(END_MS, undefined, { ref: false })]);
    },
  };
}

function explained(thrown: unknown): never {
  if (!(thrown instanceof HelperEnded)) throw thrown;
  throw new AppError("sandbox_failed", `The workspace's disk could not be mounted: ${thrown.message}`);
}

async function start({ client, names, volumes, facts }: Parts, id: string, onEnd: () => void): Promise<Running> {
  const imageId = await nothingImage(client);
  const programs = await volumes.programs({ imageId, signal: AbortSignal.timeout(FILL_PROGRAMS_MS) });
  const directory = directoryOfVolumes(programs);
  const labels = { [LABEL.installation]: names.installation, [LABEL.helper]: id, ...madeHere() };
  const spec = diskHelperContainer({
    daemon: await facts(),
    imageId,
    labels,
    programs: programs.name,
    volumes: directory,
  });
  const container = await client.createContainer(names.container(`disks-${newId("x", Date.now())}`), spec);
  let complaints = "";
  try {
    const onError = (bytes: Buffer) => (complaints = (complaints + bytes.toString()).slice(-1000));
    const stream = await client.attach(container, onError);
    await client.startContainer(container);
    return { directory, ...conversation(stream, onEnd, () => complaints.trim()) };
  } catch (thrown) {
    await client.removeContainer(container);
    throw thrown;
  }
}

/** @throws AppError `sandbox_failed` where volumes are not kept as the driver `local` keeps them */
function directoryOfVolumes({ name, directory }: ProgramsVolume): string {
  const own = dirname(directory);
  if (basename(directory) === "_data" && basename(own) === name) return dirname(own);
  throw new AppError("sandbox_failed", "The Docker daemon does not say where it keeps volumes.");
}

function conversation(stream: Duplex, onEnd: () => void, complaints: () => string): Omit<Running, "directory"> {
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let asked = 0;
  let ended = false;
  const lines = createInterface({ input: stream });
  // It hands on the stream's errors, after which the stream is closed.
  lines.on("error", () => undefined);
  lines.on("line", (line) => {
    const { id, code, message } = DiskAnswer.parse(JSON.parse(line));
    const answered = waiting.get(id);
    waiting.delete(id);
    if (code === undefined) answered?.resolve();
    else answered?.reject(new AppError(code, message ?? "The workspace's disk could not be mounted."));
  });
  // Podman hands on, before what it is sent, the body of the request that this began with.
  stream.write("\n");
  stream.once("close", () => {
    ended = true;
    onEnd();
    for (const { reject } of waiting.values()) reject(new HelperEnded(complaints() || "the helper ended."));
  });
  return {
    ask: (request) => {
      const answered = Promise.withResolvers<void>();
      if (ended || stream.writableEnded) answered.reject(new HelperEnded(complaints() || "the helper ended."));
      else {
        waiting.set(++asked, answered);
        stream.write(`${JSON.stringify({ ...request, id: asked })}\n`);
      }
      return answered.promise;
    },
    end: async () => {
      if (ended) return;
      const closed = once(stream, "close", { signal: AbortSignal.timeout(END_MS) }).catch(() => undefined);
      stream.end();
      await closed;
      stream.destroy();
    },
  };
}
