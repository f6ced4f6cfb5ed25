import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** What programs read the whole bundle from: OpenSSL, Go and Rust; requests; curl; git; pip; the AWS tools; cargo. */
const BUNDLE_VARIABLES = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"].concat(
  "AWS_CA_BUNDLE",
  "CARGO_HTTP_CAINFO",
);

const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;

/** What Node and Deno read beside the roots that they know: the whole bundle would cost each start of a program. */
const ADDED_VARIABLES = ["NODE_EXTRA_CA_CERTS", "DENO_CERT"];

/**
 * The operation that gives the sandbox what it needs of secrets: the certificate of its authority, files in memory and
 * variables. `env` is what shells and programs are started with from now on; what it held at first stays below it. The
 * first of `parents` that is in memory and can be written gets the files.
 */
export function equip(env: Record<string, string>, parents = MEMORY_DIRECTORIES): Handlers["sandbox.equip"] {
  const first = { ...env };
  return async ({ authority, files, environment }) => {
    const directory = memoryDirectory(parents);
    const secrets = join(directory, "secrets");
    makePrivate(secrets);
    const names = new Set(files.map((file) => file.name));
    for (const old of readdirSync(secrets)) if (!names.has(old)) rmSync(join(secrets, old), { force: true });
    for (const { name, data } of files) put(join(secrets, name), Buffer.from(data, "base64"), 0o400);
    const paths = files.flatMap(({ name, environment: variable }) =>
      variable === undefined ? [] : [[variable, join(secrets, name)] as const],
    );
    const trusted = authority === undefined ? {} : trust(directory, authority, first);
    for (const name of Object.keys(env)) if (!(name in first)) delete env[name];
    Object.assign(env, first, trusted, environment, Object.fromEntries(paths));
    return { directory };
  };
}

/** What the image believes by these variables is believed further on. */
function trust(directory: string, authority: string, first: Readonly<Record<string, string>>): Record<string, string> {
  const bundle = join(directory, "ca-bundle.pem");
  const alone = join(directory, "ca.pem");
  const added = ADDED_VARIABLES.flatMap((name) => certificatesAt(first[name]));
  const own = BUNDLE_VARIABLES.flatMap((name) => certificatesAt(first[name]));
  const known = certificatesAt(first["SSL_CERT_FILE"]).length === 0 ? systemCertificates() : [];
  put(bundle, together([...known, ...own, ...added, authority]), 0o444);
  put(alone, together([...added, authority]), 0o444);
  return {
    ...Object.fromEntries(BUNDLE_VARIABLES.map((name) => [name, bundle])),
    ...Object.fromEntries(ADDED_VARIABLES.map((name) => [name, alone])),
  };
}

function systemCertificates(): readonly string[] {
  const found = SYSTEM_BUNDLES.flatMap(certificatesAt)[0];
  // Not imported: loading it takes memory in every sandbox.
  return found === undefined ? process.getBuiltinModule("node:tls").rootCertificates : [found];
}

/** The text of a bundle; none where there is no file of a bundle's size. */
function certificatesAt(path: string | undefined): readonly string[] {
  const found = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
  if (path === undefined || found?.isFile() !== true || found.size > MAX_BUNDLE_BYTES) return [];
  return [readFileSync(path, "utf8")];
}

const together = (texts: readonly string[]) =>
  Buffer.from([...new Set(texts.map((text) => text.trim()))].map((text) => `${text}\n`).join(""));

function memoryDirectory(parents: readonly string[]): string {
  const parent = parents.find((path) => {
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
