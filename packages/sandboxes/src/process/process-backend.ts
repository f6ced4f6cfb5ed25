import { basename, dirname, join } from "node:path";
import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import type { SandboxLimits } from "../limits.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { sandboxdEnvironment } from "../link-token.ts";
import { once } from "../once.ts";
import { cacheDirectoryOr } from "../image/cache-directory.ts";
import { limitsUnder, PROFILES } from "../profiles.ts";
import { INSIDE, PROXY_ENVIRONMENT, sandboxEnvironment, sharedPlaces } from "../sandbox-environment.ts";
import { OWN_IDS, sandboxUid } from "../sandbox-user.ts";
import { requireSandboxd } from "../sandboxd-programs.ts";
import { attainableLimits } from "./attainable-limits.ts";
import type { Bubblewrap } from "./bubblewrap.ts";
import { findBubblewrap } from "./bubblewrap.ts";
import type { Cgroups } from "../local/cgroups.ts";
import { findCgroups, removeGroups } from "../local/cgroups.ts";
import { CONTAINERS_ENVIRONMENT, containersMount, writeContainersFiles } from "./containers-inside.ts";
import { removeOldProbes } from "../disk/disk-probes.ts";
import { NETWORK_ETC_NAMES, writeEtcFiles } from "../local/etc-files.ts";
import { explainBubblewrap, missingBubblewrap } from "./explain-bubblewrap.ts";
import { boxesOf, MARK } from "../local/find-processes.ts";
import { killAll } from "../local/kill-all.ts";
import { launchCommand } from "./launch-command.ts";
import { REDIRECT, SANDBOXD_LOG, sandboxdLog, spawnDetached } from "../local/launch-sandboxd.ts";
import { hasServedFiles, type WorkspaceBound } from "../local/conversation-place.ts";
import type { Launched, LocalOptions, LocalRunner, LocalStart } from "../local/local-backend.ts";
import { localBackend } from "../local/local-backend.ts";
import type { SystemTree } from "./own-system.ts";
import { noOwnSystem, systemTree, whyNoOwnSystem } from "./own-system.ts";
import type { OwnUsers } from "./own-users.ts";
import { ownRoot } from "./own-users.ts";
import { processHealth } from "./process-health.ts";
import type { Bind } from "../local/sandbox-mounts.ts";
import { etcMounts, ownMounts, readOnly, systemMounts } from "../local/sandbox-mounts.ts";
import { serveCommand } from "../local/serve-command.ts";
import { seccompFile, writeSeccompFiles } from "./seccomp-files.ts";
import { diskLog, disksWork, hasDisk } from "../disk/workspace-disk.ts";
import { servedFilesWork } from "./served-files.ts";

export type ProcessOptions = LocalOptions & {
  /** Tells apart the control groups of several installations. a-z, 0-9 and -. */
  readonly installation: string;
  /** The folder with the programs `sandboxd` and `rg`. */
  readonly sandboxdDirectory: string;
  readonly limits?: Partial<SandboxLimits> | undefined;
  /** More paths of the host that sandboxes may read, at the same place inside. */
  readonly extraReadOnly?: readonly string[] | undefined;
  /** Whether programs that are root of their sandbox may make containers in it, by user namespaces. Default: no. */
  readonly containers?: boolean | undefined;
  /** Whether workspaces are bounded by FUSE where nothing else bounds them, as a plain user's. Default: yes. */
  readonly fuse?: boolean | undefined;
  /** Where the system of sandboxes that are root of one is kept. Default `~/.cache/handrail`. */
  readonly cacheDirectory?: string | undefined;
};

/** Where the server's own Node is inside, when the host has it outside /usr. */
const NODE_INSIDE = "/opt/handrail-node/bin";
/**
 * The runtime takes as much as it can get for compiled code, and without what it asked for compiles nothing and cannot call
 * the C library. This much fits into the limit of a process's memory.
 */
const SMALL_JIT = { BUN_JSC_jitMemoryReservationSize: String(32 * 1024 ** 2) };

const PATH_INSIDE = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Sandboxes as processes of this machine in bubblewrap: namespaces, mounts and limits of their own, and the host's
 * /usr to read; in the profile that makes programs root, a copy of the default image to change. They outlive the server
 * and are found again. As root each runs as a user of its own, within control groups; without root, limits hold for each
 * process, for the number of processes and, through FUSE, for the workspace. There is no way from here to a process that is not isolated.
 */
export function processBackend(options: ProcessOptions): SandboxBackend {
  let used = false;
  /** Sandboxes whose processes may not be in their groups yet. */
  const starting = new Set<string>();
  const prepared = once(() => {
    used = true;
    return prepare(options);
  });
  const runner: LocalRunner = {
    name: "process",
    uidOf: async (conversationId, profile) =>
      sandboxUid(conversationId, process.getuid?.() === 0, PROFILES[profile].root ? OWN_IDS : 1),
    health: async () => processHealth(await prepared()),
    bound: async (profile) => {
      const { bound, limits, noDev } = await prepared();
      if (PROFILES[profile].root && noDev !== undefined) throw noOwnSystem(noDev);
      return bound && { type: bound, bytes: limitsUnder(profile, limits).diskBytes };
    },
    launch: (start) => noted(starting, start.record.sandboxId, async () => launch(await prepared(), start)),
    isAlive: async (sandboxId, { token }) => {
      const { cgroups } = await prepared();
      return (await (cgroups?.processes(sandboxId) ?? boxesOf(sandboxId, token))).length > 0;
    },
    kill: async (sandboxId, _place, { token }) => {
      const { cgroups } = await prepared();
      await killAll(async () => ({
        pids: [...boxesOf(sandboxId, token), ...((await cgroups?.processes(sandboxId)) ?? [])],
      }));
      await cgroups?.remove(sandboxId);
    },
    collect: async () => {
      const { cgroups } = await prepared();
      await Promise.all([removeOldProbes(options.directory), cgroups?.removeEmpty(starting)]);
    },
    close: async () => {
      if (used) await (await prepared()).cgroups?.removeEmpty(starting);
      await removeGroups(options.installation);
    },
  };
  return localBackend(runner, options);
}

/** Has a sandbox in `starting` until it is up or given up. */
async function noted(starting: Set<string>, sandboxId: string, begin: () => Promise<Launched>): Promise<Launched> {
  starting.add(sandboxId);
  const forget = () => starting.delete(sandboxId);
  try {
    const launched = await begin();
    return { ...launched, release: () => forget() && launched.release() };
  } catch (thrown) {
    forget();
    throw thrown;
  }
}

/** What is found out about this machine once. */
export type Prepared = {
  readonly options: ProcessOptions;
  readonly bubblewrap: Bubblewrap | undefined;
  readonly cgroups: Cgroups | undefined;
  readonly limits: SandboxLimits;
  /** What bounds new workspaces; undefined: nothing does. */
  readonly bound: WorkspaceBound["type"] | undefined;
  /** Holds a filter of system calls for each profile. */
  readonly seccompDirectory: string;
  /** Holds the /etc of all sandboxes. */
  readonly etcDirectory: string;
  /** The mounts of paths that are no sandbox's own. */
  readonly shared: readonly Bind[];
  /** The system of sandboxes that are root of one. */
  readonly tree: SystemTree;
  /** Holds the settings of programs that make containers. */
  readonly containersDirectory: string;
  /** Why there are none of those here; undefined: there are. */
  readonly noDev: string | undefined;
};

async function prepare(options: ProcessOptions): Promise<Prepared> {
  const etcDirectory = join(options.directory, "etc");
  const seccompDirectory = join(options.directory, "seccomp");
  const containersDirectory = join(options.directory, "containers");
  writeEtcFiles(etcDirectory);
  await Promise.all([
    writeSeccompFiles(seccompDirectory, options.containers),
    writeContainersFiles(containersDirectory),
  ]);
  const [bound, bubblewrap, cgroups, limits] = await Promise.all([
    boundOf(options),
    findBubblewrap(),
    findCgroups(options.installation),
    attainableLimits({ ...DEFAULT_LIMITS, ...options.limits }),
  ]);
  const tree = systemTree(cacheDirectoryOr(options.cacheDirectory));
  const node = process.execPath.startsWith("/usr/") ? [] : [readOnly(process.execPath, `${NODE_INSIDE}/node`)];
  return {
    options,
    bound,
    seccompDirectory,
    bubblewrap,
    cgroups,
    limits,
    etcDirectory,
    shared: [...etcMounts(etcDirectory), ...node, ...extraMounts(options)],
    tree,
    containersDirectory,
    noDev: await whyNoOwnSystem(bound === "disk", tree),
  };
}

async function boundOf({ directory, sandboxdDirectory, fuse = true }: ProcessOptions): Promise<Prepared["bound"]> {
  if (await disksWork(directory)) return "disk";
  return fuse && (await servedFilesWork(directory, join(sandboxdDirectory, "sandboxd"))) ? "fuse" : undefined;
}

const extraMounts = ({ extraReadOnly = [] }: ProcessOptions) => extraReadOnly.map((path) => readOnly(path, path));

async function launch(prepared: Prepared, start: LocalStart) {
  const { place, record, socketPath } = start;
  const { bubblewrap, cgroups, options } = prepared;
  if (bubblewrap === undefined) throw missingBubblewrap();
  await requireSandboxd(options.sandboxdDirectory);
  const { network } = PROFILES[record.profile];
  const limits = limitsUnder(record.profile, prepared.limits);
  const [cgroupFiles] = await Promise.all([cgroups?.create(record.sandboxId, limits), start.furnished]);
  const bounded = await boundedFiles(prepared, start);
  const onDisk = bounded !== undefined && "image" in bounded;
  const ownUsers = await ownUsersOf(prepared, start, onDisk);
  const files =
    bounded === undefined
      ? { workspace: place.workspace, state: place.state }
      : { workspace: join(place.disk, "workspace"), state: join(place.disk, "state") };
  const places = { ...files, programs: options.sandboxdDirectory, link: dirname(socketPath) };
  // Root of a system of its own has it on the disk.
  const shared = sharedPlaces({ disk: bounded !== undefined, root: true });
  const serve = serveCommand({ sandboxId: record.sandboxId, socket: basename(socketPath), network, shared });
  const command = launchCommand({
    bubblewrap,
    limits,
    seccompFile: seccompFile(prepared.seccompDirectory, record.profile, shared.length > 0),
    bounded,
    ...mountsOf(prepared, ownUsers, ownMounts(places)),
    environment: environmentOf(record.sandboxId, network, ownUsers),
    uid: record.uid,
    ownUsers,
    cgroupFiles: cgroupFiles ?? [],
    command: ["sh", "-c", REDIRECT, `${INSIDE.state}/${SANDBOXD_LOG}`, ...serve],
  });
  const state = bounded === undefined ? place.state : join(place.files, "state");
  const log = () => (onDisk ? diskLog(place.image, `/state/${SANDBOXD_LOG}`) : sandboxdLog(state));
  const environment = { ...sandboxdEnvironment(record.token), ...SMALL_JIT };
  return spawnDetached({ command, environment, log, explain: explainBubblewrap });
}

/** What has the workspace's files, if that bounds them. */
async function boundedFiles({ options, limits }: Prepared, { place, record }: LocalStart) {
  const target = place.disk;
  if (await hasDisk(place.image)) return { image: place.image, target };
  if (!(await hasServedFiles(place))) return undefined;
  const bytes = limitsUnder(record.profile, limits).diskBytes;
  return { program: join(options.sandboxdDirectory, "sandboxd"), directory: place.files, bytes, target };
}

/** Undefined for a profile whose programs are a plain user. @throws AppError `backend_unavailable` */
async function ownUsersOf({ tree, options }: Prepared, start: LocalStart, onDisk: boolean) {
  const { place, record, onProgress, signal } = start;
  if (!PROFILES[record.profile].root) return undefined;
  // A workspace from before there were disks takes no system of its own beside it.
  if (record.uid === undefined || !onDisk) throw noOwnSystem("the conversation's workspace is not a disk");
  await tree.make(onProgress, signal);
  const containers = options.containers ?? false;
  return { tree: tree.path, containers, disk: place.disk, firstId: record.uid } satisfies OwnUsers;
}

/** The host's own places and the rest; one that is root of its own system sees neither the host's nor its accounts. */
function mountsOf(prepared: Prepared, ownUsers: OwnUsers | undefined, own: readonly Bind[]) {
  if (ownUsers === undefined) return { system: systemMounts(), own: [...prepared.shared, ...own] };
  const root = { source: ownRoot(ownUsers), target: "/", write: true, optional: false };
  const network = etcMounts(prepared.etcDirectory, NETWORK_ETC_NAMES);
  const containers = ownUsers.containers ? [containersMount(prepared.containersDirectory)] : [];
  const shared = [...network, ...containers, ...extraMounts(prepared.options)];
  return { system: { binds: [], links: [] }, own: [root, ...shared, ...own] };
}

function environmentOf(sandboxId: string, network: boolean, ownUsers: OwnUsers | undefined) {
  const path = `${PATH_INSIDE}:${NODE_INSIDE}`;
  const proxy = network ? PROXY_ENVIRONMENT : {};
  const containers = ownUsers?.containers === true ? CONTAINERS_ENVIRONMENT : {};
  const own = { PATH: path, TMPDIR: "/tmp", [MARK]: sandboxId };
  return { ...sandboxEnvironment(INSIDE.home), ...proxy, ...containers, ...own };
}
