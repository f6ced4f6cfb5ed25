import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import { diskHelperContainer } from "./disk-helper-container.ts";
import type { DockerClient } from "./docker-client.ts";
import type { MadeNames } from "../labels/made-names.ts";
import { LABEL } from "../labels/made-names.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import type { DockerVolumes } from "./docker-volumes.ts";
import { type Asked, type HelperConversation, helperConversation, HelperLost } from "./helper-conversation.ts";
import { nothingImage } from "./nothing-image.ts";
import type { ProgramsVolume } from "./programs-volume.ts";

type Parts = {
  readonly client: DockerClient;
  readonly names: MadeNames;
  readonly volumes: Pick<DockerVolumes, "programs">;
  readonly facts: () => Promise<DaemonInfo>;
};

/** One that runs. */
type Running = HelperConversation & {
  /** Where the daemon's machine has all volumes. */
  readonly directory: string;
  /** Ends it whatever it is at: it does nothing any more after that. */
  kill(): Promise<void>;
};

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
  const open = async () => {
    if (closed) throw new AppError("backend_unavailable", "The server is stopping.");
    if (running !== undefined) return running;
    const forget = () => {
      if (running === started) running = undefined;
    };
    const started = start(parts, id, forget);
    started.catch(forget);
    running = started;
    return started;
  };
  return {
    /** What its containers have in their label. */
    id,
    /** Where the daemon's machine has all volumes. @throws AppError, DockerError */
    directory: async () => (await open()).directory,
    /** One that is lost is replaced, once. @throws AppError `disk_full`, `sandbox_failed`; DockerError */
    ask: async (request: Asked): Promise<void> => {
      const helper = await open();
      try {
        return await helper.ask(request);
      } catch (thrown) {
        if (!(thrown instanceof HelperLost)) throw thrown;
        // What it was asked for must not be done beside what the next one does.
        await helper.kill();
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
  if (!(thrown instanceof HelperLost)) throw thrown;
  const message = `The helper that mounts workspaces' disks is lost: ${thrown.message}`;
  throw new AppError("sandbox_failed", message, {}, { cause: thrown });
}

async function start({ client, names, volumes, facts }: Parts, id: string, onLost: () => void): Promise<Running> {
  const imageId = await nothingImage(client);
  const programs = await volumes.programs({ imageId, signal: AbortSignal.timeout(FILL_PROGRAMS_MS) });
  const directory = directoryOfVolumes(programs);
  const labels = { [LABEL.installation]: names.installation, [LABEL.helper]: id, ...names.madeHere() };
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
    const conversation = helperConversation(stream, { onLost, complaints: () => complaints.trim() });
    return { directory, ...conversation, kill: () => client.removeContainer(container) };
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
