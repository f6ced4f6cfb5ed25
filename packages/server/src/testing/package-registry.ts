import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The one package that it has, under this name in all worlds; `handrail_probe` to Python, `MODULE` to Go. */
export const PACKAGE = "handrail-probe";

export const MODULE = "registry.example/handrail/probe";

/**
 * What a private registry answers, whoever asks: for npm below `/npm/` with a bearer token, for cargo below `/cargo/` with
 * the token alone, for pip below `/simple/` and for go below `/go/` with HTTP Basic of `ada`. Its descriptions, its files and the path `/told` repeat the credentials that it got.
 */
export function packageRegistry(token: string) {
  const basic = `Basic ${Buffer.from(`ada:${token}`).toString("base64")}`;
  const [tarball, wheel, crate, goModule] = [makeTarball(), makeWheel(), makeCrate(), makeModule()];
  const npm: World = {
    credentials: `Bearer ${token}`,
    asks: "Bearer",
    file: ({ path, base }) =>
      path.endsWith(".tgz") ? tarball : JSON.stringify(packument(base, tarball, npm.credentials)),
  };
  const told: World = { ...npm, file: () => `told: ${npm.credentials}\n` };
  const worlds: Readonly<Record<string, World>> = {
    npm,
    simple: {
      credentials: basic,
      asks: BASIC,
      file: ({ path }) => (path.endsWith(WHEEL) ? wheel : index(wheel, basic)),
    },
    cargo: { credentials: token, asks: "Cargo", file: (asked) => cargoFile(asked, crate) },
    go: { credentials: basic, asks: BASIC, file: ({ path }) => goFile(path, goModule) },
  };
  const seen: string[] = [];

  return {
    /** Method and path of each request that had its credentials, in order. */
    seen,
    answer: (request: IncomingMessage, response: ServerResponse): void => {
      const { authorization = "", host = "" } = request.headers;
      const path = new URL(request.url ?? "/", "https://registry.example").pathname;
      const { credentials, asks, file } = worlds[path.split("/")[1] ?? ""] ?? told;
      if (authorization !== credentials) {
        response.writeHead(401, { "www-authenticate": asks }).end(`not ${authorization}\n`);
        return;
      }
      seen.push(`${request.method} ${path}`);
      if (path.endsWith("/")) response.setHeader("content-type", "text/html");
      response.end(file({ path, base: `https://${host}` }));
    },
  };
}

type Asked = { readonly path: string; readonly base: string };

/** What one kind of client is answered. */
type World = {
  readonly credentials: string;
  /** What it is told where it has none. */
  readonly asks: string;
  readonly file: (asked: Asked) => Buffer | string;
};

const BASIC = 'Basic realm="packages"';
const VERSION = "1.0.0";
const WHEEL = `handrail_probe-${VERSION}-py3-none-any.whl`;
const GO_MOD = `module ${MODULE}\n`;
const MANIFEST = { name: PACKAGE, version: VERSION, main: "index.js" };

function packument(base: string, tarball: Buffer, told: string) {
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const dist = { tarball: `${base}/npm/${PACKAGE}/-/${PACKAGE}-${VERSION}.tgz`, integrity };
  return {
    name: PACKAGE,
    "dist-tags": { latest: VERSION },
    versions: { [VERSION]: { ...MANIFEST, description: `told ${told}`, dist } },
  };
}

/** The simple repository API (PEP 503). */
function index(wheel: Buffer, told: string): string {
  const digest = createHash("sha256").update(wheel).digest("hex");
  return `<!DOCTYPE html><!-- ${told} --><a href="/simple/files/${WHEEL}#sha256=${digest}">${WHEEL}</a>`;
}

/** A sparse registry. Source: https://doc.rust-lang.org/cargo/reference/registry-index.html */
function cargoFile({ path, base }: Asked, crate: Buffer): Buffer | string {
  if (path === "/cargo/config.json") return JSON.stringify({ dl: `${base}/cargo/crates`, "auth-required": true });
  if (path.startsWith("/cargo/crates/")) return crate;
  const cksum = createHash("sha256").update(crate).digest("hex");
  return JSON.stringify({ name: PACKAGE, vers: VERSION, deps: [], cksum, features: {}, yanked: false });
}

/** The module proxy protocol. Source: https://go.dev/ref/mod#goproxy-protocol */
function goFile(path: string, zip: Buffer): Buffer | string {
  if (path.endsWith(".zip")) return zip;
  if (path.endsWith(".mod")) return GO_MOD;
  return JSON.stringify({ Version: `v${VERSION}`, Time: "2026-01-01T00:00:00Z" });
}

function makeCrate(): Buffer {
  const name = `${PACKAGE}-${VERSION}`;
  return made((directory) => {
    mkdirSync(join(directory, name, "src"), { recursive: true });
    const manifest = `[package]\nname = "${PACKAGE}"\nversion = "${VERSION}"\nedition = "2021"\n`;
    writeFileSync(join(directory, name, "Cargo.toml"), manifest);
    writeFileSync(join(directory, name, "src/lib.rs"), "// from cargo\n");
    execFileSync("tar", ["-czf", "made", name], { cwd: directory });
  });
}

function makeModule(): Buffer {
  const name = `${MODULE}@v${VERSION}`;
  return made((directory) => {
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name, "go.mod"), GO_MOD);
    writeFileSync(join(directory, name, "probe.go"), "package probe // from go\n");
    const files = ["go.mod", "probe.go"].map((file) => `${name}/${file}`);
    const zip =
      "import sys, zipfile\nwith zipfile.ZipFile('made', 'w') as z:\n for name in sys.argv[1:]: z.write(name)";
    execFileSync("python3", ["-c", zip, ...files], { cwd: directory });
  });
}

function makeTarball(): Buffer {
  return made((directory) => {
    mkdirSync(join(directory, "package"));
    writeFileSync(join(directory, "package/package.json"), JSON.stringify(MANIFEST));
    writeFileSync(join(directory, "package/index.js"), 'module.exports = "from npm";\n');
    execFileSync("tar", ["-czf", "made", "package"], { cwd: directory });
  });
}

function makeWheel(): Buffer {
  return made((directory) => {
    const info = `handrail_probe-${VERSION}.dist-info`;
    mkdirSync(join(directory, info));
    writeFileSync(join(directory, "handrail_probe.py"), 'word = "from pip"\n');
    writeFileSync(join(directory, info, "METADATA"), `Metadata-Version: 2.1\nName: ${PACKAGE}\nVersion: ${VERSION}\n`);
    writeFileSync(join(directory, info, "WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
    const files = ["handrail_probe.py", `${info}/METADATA`, `${info}/WHEEL`, `${info}/RECORD`];
    writeFileSync(join(directory, info, "RECORD"), files.map((name) => `${name},,\n`).join(""));
    execFileSync("python3", ["-m", "zipfile", "-c", "made", "handrail_probe.py", `${info}/`], { cwd: directory });
  });
}

/** What `make` leaves as `made` in a directory of its own. */
function made(make: (directory: string) => void): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "handrail-package-"));
  try {
    make(directory);
    return readFileSync(join(directory, "made"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
