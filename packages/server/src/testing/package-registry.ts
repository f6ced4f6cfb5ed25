import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The one package that it has, under this name in both worlds; `handrail_probe` to Python. */
export const PACKAGE = "handrail-probe";

/**
 * What a private registry answers, `npm` and `pip` alike: for npm below `/npm/` with a bearer token, for pip below
 * `/simple/` with HTTP Basic of `ada`. Its descriptions, its files and the path `/told` repeat the credentials that it got.
 */
export function packageRegistry(token: string) {
  const tarball = makeTarball();
  const wheel = makeWheel();
  const bearer = `Bearer ${token}`;
  const basic = `Basic ${Buffer.from(`ada:${token}`).toString("base64")}`;
  const seen: string[] = [];

  return {
    /** Method and path of each request that had its credentials, in order. */
    seen,
    answer: (request: IncomingMessage, response: ServerResponse): void => {
      const { authorization = "" } = request.headers;
      const path = new URL(request.url ?? "/", "https://registry.example").pathname;
      const wanted = path.startsWith("/simple/") ? basic : bearer;
      if (authorization !== wanted) {
        const asks = path.startsWith("/simple/") ? 'Basic realm="packages"' : "Bearer";
        response.writeHead(401, { "www-authenticate": asks }).end(`not ${authorization}\n`);
        return;
      }
      seen.push(`${request.method} ${path}`);
      const base = `https://${request.headers.host}`;
      if (path === `/npm/${PACKAGE}`) sendJson(response, packument(base, tarball, authorization));
      else if (path.endsWith(".tgz")) response.end(tarball);
      else if (path === `/simple/${PACKAGE}/`)
        response.setHeader("content-type", "text/html").end(index(wheel, authorization));
      else if (path.endsWith(WHEEL)) response.end(wheel);
      else response.end(`told: ${authorization}\n`);
    },
  };
}

const VERSION = "1.0.0";
const WHEEL = `handrail_probe-${VERSION}-py3-none-any.whl`;
const MANIFEST = { name: PACKAGE, version: VERSION, main: "index.js" };

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json").end(JSON.stringify(value));
}

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
