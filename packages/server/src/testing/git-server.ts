import { spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

export type GitServerOptions = {
  /** Where `git` is found. */
  readonly path: string | undefined;
  /** Holds bare repositories. */
  readonly root: string;
  readonly certificate: { readonly cert: string; readonly key: string | Buffer };
  /** `user:password`, which every request must have. */
  readonly credentials: string;
  /** Other requests, which need no credentials. */
  readonly other?: (request: IncomingMessage, response: ServerResponse) => void;
};

/** Git's own smart HTTP server over TLS on loopback, with HTTP Basic. The caller closes it. */
export async function gitServer({ path, root, certificate, credentials, other }: GitServerOptions) {
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  const server = createServer({ ...certificate }, (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "https://git.example");
    if (!/\.git\//.test(pathname) && other !== undefined) {
      other(request, response);
    } else if (request.headers.authorization === authorization) {
      serveGit({ path, root, pathname, search }, request, response);
    } else {
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port, close };
}

type Place = {
  readonly path: string | undefined;
  readonly root: string;
  readonly pathname: string;
  readonly search: string;
};

/** As a web server does it by CGI (RFC 3875). */
function serveGit({ path, root, pathname, search }: Place, request: IncomingMessage, response: ServerResponse): void {
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: path,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_USER: "ada",
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  child.stdout.on("data", (bytes: Buffer) => {
    if (response.headersSent) {
      response.write(bytes);
      return;
    }
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    const lines = head.toString("latin1", 0, end).split("\r\n");
    const pairs = lines.map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = pairs.find(([name]) => name.toLowerCase() === "status")?.[1] ?? "200";
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(pairs.filter(([name]) => name !== "Status")));
    response.write(head.subarray(end + 4));
  });
  child.stdout.on("end", () => response.end());
}
