import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { INSIDE } from "../sandbox-environment.ts";
import { ETC_NAMES } from "./etc-files.ts";

/** A directory or file of the host that a sandbox sees. */
export type Bind = {
  readonly source: string;
  readonly target: string;
  readonly write: boolean;
  /** Left out without complaint when the source is not there. */
  readonly optional: boolean;
  /** A directory that the source is in, all of which every sandbox may read. */
  readonly among?: string;
};

/** A symbolic link that a sandbox sees. */
export type Link = { readonly text: string; readonly target: string };

export type Mounts = { readonly binds: readonly Bind[]; readonly links: readonly Link[] };

/** What of the host's /etc programs need to run, and that says nothing about the machine or its people. */
const HOST_ETC = [
  "alternatives",
  "bash.bashrc",
  "ca-certificates",
  "ca-certificates.conf",
  "inputrc",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "mime.types",
  "os-release",
  "pki/ca-trust",
  "pki/tls",
  "profile",
  "python3",
  "python3.11",
  "python3.12",
  "python3.13",
  "ssl/certs",
  "ssl/openssl.cnf",
  "terminfo",
];

const SYSTEM_FOLDERS = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/** The host's programs and libraries, read-only, and what of its /etc they need. */
export function systemMounts(): Mounts {
  return withEtc(HOST_ETC.map((name) => `/etc/${name}`));
}

/** What of the host the programs see that start a sandbox: its programs and libraries, and the whole of its /etc. */
export function starterMounts(): Mounts {
  return withEtc(["/etc"]);
}

function withEtc(paths: readonly string[]): Mounts {
  const links = SYSTEM_FOLDERS.flatMap((path) => linkAt(path));
  const own = SYSTEM_FOLDERS.filter((path) => links.every((link) => link.target !== path));
  return { binds: [readOnly("/usr", "/usr"), ...[...own, ...paths].map((path) => readOnly(path, path, true))], links };
}

/** An /etc that names nobody of the host. `etcDirectory` has the `ETC_NAMES`. */
export function etcMounts(etcDirectory: string, names: readonly string[] = ETC_NAMES): readonly Bind[] {
  return names.map((name) => ({ ...readOnly(join(etcDirectory, name), `/etc/${name}`), among: etcDirectory }));
}

export type OwnPlaces = {
  readonly workspace: string;
  readonly state: string;
  readonly programs: string;
  /** The directory with the socket that the server listens on. */
  readonly link: string;
};

/** Where the server's socket directory is inside. */
export const LINK_INSIDE = "/handrail-link";

/** What a sandbox has for itself. The socket's directory cannot be written, so its socket cannot be swapped. */
export function ownMounts(places: OwnPlaces): readonly Bind[] {
  return [
    { source: places.workspace, target: INSIDE.workspace, write: true, optional: false },
    { source: places.state, target: INSIDE.state, write: true, optional: false },
    readOnly(places.programs, INSIDE.programs),
    readOnly(places.link, LINK_INSIDE),
  ];
}

/** A read-only view of a path of the host. */
export function readOnly(source: string, target: string, optional = false): Bind {
  return { source, target, write: false, optional };
}

/** On most systems /bin and the like are links into /usr. */
function linkAt(path: string): Link[] {
  try {
    return [{ text: readlinkSync(path), target: path }];
  } catch {
    return [];
  }
}
