import type { Duplex } from "node:stream";
import type { SandboxSpec } from "@handrail/core/ports/sandbox";
import { newId } from "@handrail/protocol/ids";
import { limitsUnder, profileOf, PROFILES, syscallsOf } from "../profiles.ts";
import { newLinkToken } from "../link-token.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";
import { containerUid, ROOT } from "../sandbox-user.ts";
import { unlessAborted } from "../shared-work.ts";
import { SANDBOX_STARTING } from "../texts.ts";
import { NO_DEV_RUNTIME } from "./dev-runtime.ts";
import type { ContainerWish } from "./container-spec.ts";
import { sandboxContainer, sharedBy } from "./container-spec.ts";
import type { DockerParts, Starting } from "./docker-backend.ts";
import type { DiskWish, StartingDisk } from "./docker-disks.ts";
import { choiceLabel, LABEL } from "../labels/made-names.ts";
import type { ContainerSpec, ContainerState, DaemonInfo, ImageFacts } from "./docker-shapes.ts";
import type { ProgramsVolume } from "./programs-volume.ts";
import { seccompPath } from "./seccomp-files.ts";

/**
 * A container that was just started, and the image that it was started from. `stream` is the first connection to its
 * sandboxd, there from its first instant: an exec would take some 50 ms more. `complaints` gives the end of what it
 * wrote to its standard error. `settled` is when the host is rid of what only the start took.
 */
export type Started = ContainerState & {
  readonly image: string;
  readonly stream: Duplex;
  readonly complaints: () => string;
  readonly settled: Promise<void>;
};

/** Node's names for what daemons call processors. */
const PROCESSORS: ReadonlyMap<string, string> = new Map([
  ["x86_64", "x64"],
  ["amd64", "x64"],
  ["aarch64", "arm64"],
]);

/**
 * Makes and starts the container of a conversation that has none, with the image, the programs and the workspace that
 * it needs. A container that does not start is taken away again.
 */
export async function startContainer(parts: DockerParts, starting: Starting): Promise<Started> {
  const { spec, onProgress, signal } = starting;
  const [image, facts, disks] = await Promise.all([
    parts.images.ensure({ image: spec.choice.image, onProgress, signal }),
    parts.facts(),
    unlessAborted(disksFor(parts, spec), signal),
  ]);
  onProgress(SANDBOX_STARTING);
  const starter = { parts, starting, image, facts };
  return disks === undefined ? startOnVolumes(starter) : startOnDisk(starter, disks);
}

/** Where disks come from: this machine, or the daemon's. */
type Disks = { prepare(wish: DiskWish): Promise<StartingDisk> };

type Starter = {
  readonly parts: DockerParts;
  readonly starting: Starting;
  readonly image: ImageFacts & { readonly reference: string };
  readonly facts: DaemonInfo;
};

/** The container is made while its disk is, where the disk is made here. */
async function startOnDisk(starter: Starter, disks: Disks): Promise<Started> {
  const { parts, starting, image } = starter;
  const { spec, signal } = starting;
  const { owner, bytes } = ownerAndBytes(starter);
  const [programs, disk] = await Promise.all([
    parts.volumes.programs({ imageId: image.id, signal }),
    disks.prepare({ ...spec, owner, bytes }),
  ]);
  try {
    const wish = {
      uid: owner,
      storage: { type: "bind", ...disk.paths, ...disk.volumes, names: disk.names, keeper: disk.keeper } as const,
    };
    const started = await run(starter, await wished(starter, programs, wish), disk.mounted);
    return { ...started, settled: disk.release() };
  } catch (thrown) {
    await disk.release();
    throw thrown;
  }
}

async function startOnVolumes(starter: Starter): Promise<Started> {
  const { parts, starting, image } = starter;
  const { spec, signal } = starting;
  const { owner, own } = ownerAndBytes(starter);
  const filler = { imageId: image.id, signal };
  const [programs, ownerBefore] = await Promise.all([
    parts.volumes.programs(filler),
    parts.volumes.workspace({ ...spec, owner }, filler),
  ]);
  // A workspace from before each conversation had a user goes on with its own, save root.
  const uid = owner === ROOT || ownerBefore !== ROOT ? ownerBefore : own;
  // Where files of volumes can be mounted at all.
  const canMount = (await parts.hostsFile(programs)) !== undefined;
  const names = canMount && uid !== ROOT ? await parts.volumes.userNames(spec.conversationId) : undefined;
  const storage = { type: "volume", ...parts.volumes.ofWorkspace(spec.conversationId), names } as const;
  const started = await run(starter, await wished(starter, programs, { uid, storage }), Promise.resolve());
  return { ...started, settled: Promise.resolve() };
}

/** `own` is the conversation's user, `owner` the one that its profile makes the owner of its files. */
function ownerAndBytes({ starting: { spec }, parts, facts }: Starter) {
  const profile = profileOf(spec.choice);
  const own = containerUid(spec.conversationId, facts.userNamespaces);
  return { own, owner: PROFILES[profile].root ? ROOT : own, bytes: limitsUnder(profile, parts.limits).diskBytes };
}

/** A workspace stays where it is; a new one is on a disk where one can be had and nothing better bounds it. */
async function disksFor(parts: DockerParts, { conversationId, choice }: SandboxSpec): Promise<Disks | undefined> {
  const { disks, daemonDisks, volumes } = parts;
  const [here, there, inVolumes] = await Promise.all([
    disks.has(conversationId),
    daemonDisks.has(conversationId),
    volumes.hasWorkspace(conversationId),
  ]);
  if (here || there) return here ? disks : daemonDisks;
  if (inVolumes) return undefined;
  if (await disks.work()) return disks;
  return (await parts.takesDisk(PROFILES[profileOf(choice)].root)) ? daemonDisks : undefined;
}

async function wished(
  { parts, starting: { spec }, image, facts }: Starter,
  programs: ProgramsVolume,
  own: Pick<ContainerWish, "uid" | "storage">,
): Promise<ContainerSpec> {
  const profile = profileOf(spec.choice);
  const most = limitsUnder(profile, parts.limits);
  // The daemon refuses a limit above the number of its processors.
  const limits = { ...most, cpus: Math.min(most.cpus, facts.cpus) };
  const token = newLinkToken();
  const labels = {
    ...parts.names.labels(spec.conversationId),
    [LABEL.sandbox]: newId("x", Date.now()),
    [LABEL.choice]: choiceLabel(spec.choice),
    [LABEL.link]: token,
    ...(own.storage.keeper === undefined ? {} : { [LABEL.keeper]: own.storage.keeper }),
    ...parts.names.madeHere(),
  };
  // Root of the sandbox may write to /etc/hosts, which only the daemon's own is made for.
  const hostsFile = PROFILES[profile].root ? undefined : await parts.hostsFile(programs);
  const { runtime, containers } = PROFILES[profile].root
    ? await parts.devRuntimes.choose(image.id, programs)
    : NO_DEV_RUNTIME;
  const processor = PROCESSORS.get(facts.architecture) ?? facts.architecture;
  const around = { containers, shared: sharedBy({ profile, ...own }).length > 0, processor };
  const seccomp =
    facts.product === "Podman" ? seccompPath(programs, profile, around) : dockerSeccomp(syscallsOf(profile, around));
  const common = {
    daemon: facts,
    runtime,
    containers,
    imageId: image.id,
    imageVolumes: image.volumes,
    profile,
    limits,
    labels,
    programs: programs.name,
    hostsFile,
    seccomp,
  };
  return sandboxContainer({ ...common, token, ...own });
}

/** Makes the container, and starts it once its storage is `ready`. */
async function run(
  { parts: { client, names }, starting: { spec, signal }, image }: Starter,
  wish: ContainerSpec,
  ready: Promise<void>,
): Promise<Omit<Started, "settled">> {
  signal.throwIfAborted();
  const id = await client.createContainer(names.container(spec.conversationId), wish);
  let complaints = "";
  try {
    const [stream] = await Promise.all([
      client.attach(id, (bytes) => (complaints = (complaints + bytes.toString()).slice(-4000))),
      ready,
    ]);
    signal.throwIfAborted();
    await client.startContainer(id);
    const state = { id, running: true, exitCode: 0, outOfMemory: false, labels: wish.Labels };
    return { ...state, image: image.reference, stream, complaints: () => complaints };
  } catch (thrown) {
    await client.removeContainer(id);
    throw thrown;
  }
}
