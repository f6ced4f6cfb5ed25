/** Where things are inside every sandbox that has mounts of its own. */
export const INSIDE = {
  workspace: "/workspace",
  state: "/handrail-state",
  home: "/handrail-state/home",
  programs: "/handrail",
} as const;

/**
 * A sandbox that no server has been connected to for an hour, and in which no call runs, ends by itself: its server
 * was taken away for good, or will start it again from its workspace.
 */
export const IDLE_EXIT = ["--idle-exit", "3600"] as const;

/** What sandboxd leaves free of a file system that its sandbox shares with others. */
const KEEP_FREE_BYTES = 1024 ** 3;

/**
 * What of a sandbox is on a file system that others share, with nothing that bounds it: workspace and home unless they are
 * a disk of their own, and a root file system that its programs may write to unless that is on the disk, too.
 */
export function sharedPlaces(own: { readonly disk: boolean; readonly root: boolean }): readonly string[] {
  return [...(own.disk ? [] : [INSIDE.workspace, INSIDE.state]), ...(own.root ? [] : ["/"])];
}

/** Tells sandboxd what it shares with others. */
export function keepFree(shared: readonly string[]): readonly string[] {
  const places = shared.flatMap((place) => ["--shared", place]);
  return shared.length === 0 ? [] : ["--keep-free", String(KEEP_FREE_BYTES), ...places];
}

/** The port on the sandbox's own loopback where sandboxd takes connections to the proxy. */
export const EGRESS_PORT = 3128;

/** The user and group in process sandboxes, in the default image, and in containers made before each had its own. */
export const SANDBOX_UID = 1000;

/** Every sandbox's /etc/hosts. */
export const HOSTS = "127.0.0.1 localhost sandbox\n::1 localhost\n";

const LOCAL = "localhost,127.0.0.1,::1";

/** The environment of a sandbox, whole: nothing of the server's own gets in. `PATH` is the backend's to add. */
export function sandboxEnvironment(home: string): Readonly<Record<string, string>> {
  return {
    HOME: home,
    USER: "agent",
    LOGNAME: "agent",
    LANG: "C.UTF-8",
    HANDRAIL: "1",
  };
}

const PROXY = `http://127.0.0.1:${EGRESS_PORT}`;

/**
 * Leads programs to the broker, which every sandbox has, whatever its network rule. Both spellings: curl reads only the
 * lower-case `http_proxy`, others only capitals; Node's fetch wants to be asked.
 */
export const PROXY_ENVIRONMENT: Readonly<Record<string, string>> = {
  http_proxy: PROXY,
  https_proxy: PROXY,
  no_proxy: LOCAL,
  HTTP_PROXY: PROXY,
  HTTPS_PROXY: PROXY,
  NO_PROXY: LOCAL,
  NODE_USE_ENV_PROXY: "1",
};
