import { join } from "node:path";
import { INSIDE } from "../sandbox-environment.ts";

/** What a sandbox's container has to have mounted. */
export type MountedWish = {
  /** The volume with sandboxd. */
  readonly programs: string;
  /**
   * What becomes /etc/hosts, a file of the daemon's machine: the daemon then sets up no network at all, which takes it
   * longer than all the rest. Undefined: the daemon sets up a network that has only the loopback.
   */
  readonly hostsFile: string | undefined;
  readonly storage: ContainerStorage;
};

/** What holds workspace and state: volumes by name, or directories of the daemon's machine by path. */
export type ContainerStorage = {
  readonly type: "volume" | "bind";
  readonly workspace: string;
  readonly state: string;
  /** A directory of the daemon's machine with what becomes /etc/passwd and /etc/group; undefined: the image's stay. */
  readonly names?: string | undefined;
  /**
   * The volume that says that the workspace was filled. It is mounted so that it is in use as long as the workspace is: a
   * prune of unused volumes must not take the one without the other.
   */
  readonly whole?: string;
  /** The volume beside which its disk lies, mounted for the same reason. The disk is not in what is mounted. */
  readonly holder?: string;
  /** The container that serves both, which is to run as long as this one does. */
  readonly keeper?: string | undefined;
};

/** As the API takes it. */
export type Mount = { readonly Target: string } & Readonly<Record<string, unknown>>;

const USER_NAMES = ["passwd", "group"] as const;

/** What is mounted in a sandbox's container, and nothing else. */
export function mountsOf({ programs, storage, hostsFile }: MountedWish): readonly Mount[] {
  const bound = storage.holder === undefined ? bind : bindOfDaemon;
  const own = storage.type === "bind" ? bound : volume;
  const { names } = storage;
  return [
    own(storage.workspace, INSIDE.workspace),
    own(storage.state, INSIDE.state),
    { ...volume(programs, INSIDE.programs), ReadOnly: true },
    ...(hostsFile === undefined ? [] : [inEtc(hostsFile, "hosts")]),
    ...(names === undefined ? [] : USER_NAMES.map((name) => inEtc(join(names, name), name))),
    ...(storage.whole === undefined ? [] : [{ ...volume(storage.whole, "/handrail-whole"), ReadOnly: true }]),
    ...(storage.holder === undefined ? [] : [{ ...volume(storage.holder, "/handrail-disk"), ReadOnly: true }]),
  ];
}

/** A volume of the daemon. `NoCopy`: what an image has at that path must not become part of it. */
export function volume(source: string, target: string) {
  return { Type: "volume", Source: source, Target: target, VolumeOptions: { NoCopy: true } };
}

function bind(source: string, target: string) {
  return { Type: "bind", Source: source, Target: target, BindOptions: { Propagation: "rprivate" } };
}

/** What is in the daemon's own directory has the propagation that the daemon chooses. */
export function bindOfDaemon(source: string, target: string) {
  return { Type: "bind", Source: source, Target: target };
}

function inEtc(source: string, name: string) {
  return { ...bindOfDaemon(source, `/etc/${name}`), ReadOnly: true };
}
