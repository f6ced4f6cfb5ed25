import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { AppError } from "@handrail/protocol/errors";
import type { Handlers } from "./handlers.ts";

const MEMORY_DIRECTORIES = ["/run", "/dev/shm"];
/** The types of file systems in memory (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

/** Where systems keep the certificates that they trust: Debian, Fedora, openSUSE, Alpine, RHEL. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/** What programs read the bundle from; the last two take what they find beside what they know. */
const BUNDLE_VARIABLES = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"].concat(
  "CARGO_HTTP_CAINFO",
);

/**
 * The operation that gives the sandbox what it needs of secrets: the certificate of its authority, files in memory and
 * variables. `env` is what shells and programs are started with from now on; what it held at first stays below it.
 */
export function equip(env: Record<string, string>): Handlers["sandbox.equip"] {
  const first = { ...env };
  return async ({ authority, files, environment }) => {
    const directory = memoryDirectory();
    const secrets = join(directory, "secrets");
    makePrivate(secrets);
    const names = new Set(files.map((file) => file.name));
    for (const old of readdirSync(secrets)) if (!names.has(old)) rmSync(join(secrets, old), { force: true });
    for (const { name, data } of files) put(join(secrets, name), Buffer.from(data, "base64"), 0o400);
    const paths = files.flatMap(({ name, environment: variable }) =>
      variable === undefined ? [] : [[variable, join(secrets, name)] as const],
    );
    const trusted = authority === undefined ? {} : trust(directory, authority, first["SSL_CERT_FILE"]);
    for (const name of Object.keys(env)) if (!(name in first)) delete env[name];
    Object.assign(env, first, trusted, environment, Object.fromEntries(paths));
    return { directory };
  };
}

/** Node adds what it reads to its own roots: the whole bundle would cost each start of a program. */
function trust(directory: string, authority: string, own: string | undefined): Record<string, string> {
  const bundle = join(directory, "ca-bundle.pem");
  const alone = join(directory, "ca.pem");
  const system = [own, ...SYSTEM_BUNDLES].find((path) => path !== undefined && existsSync(path));
  const known = system === undefined ? rootCertificates.join("\n") : readFileSync(system, "utf8");
  put(bundle, Buffer.from(`${known.trimEnd()}\n${authority}`), 0o444);
  put(alone, Buffer.from(authority), 0o444);
  return { ...Object.fromEntries(BUNDLE_VARIABLES.map((name) => [name, bundle])), NODE_EXTRA_CA_CERTS: alone };
}

function memoryDirectory(): string {
  const parent = MEMORY_DIRECTORIES.find((path) => {
    try {
      if (!IN_MEMORY.has(statfsSync(path).type)) return false;
      makePrivate(join(path, "handrail"));
      return true;
    } catch {
      return false;
    }
  });
  if (parent !== undefined) return join(parent, "handrail");
  throw new AppError(
    "sandbox_failed",
    "The sandbox has no place in memory for its secrets: neither /run nor /dev/shm.",
  );
}

function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Replaces the file, which may be read-only. */
function put(path: string, bytes: Buffer, mode: number): void {
  rmSync(`${path}.new`, { force: true });
  writeFileSync(`${path}.new`, bytes, { mode, flag: "wx" });
  renameSync(`${path}.new`, path);
}
