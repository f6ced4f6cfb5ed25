import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@handrail/protocol/errors";
import { dial } from "./docker-dial.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { DockerError } from "./docker-error.ts";
import { unintelligible, unreachable } from "./docker-unreachable.ts";

type Query = Readonly<Record<string, string>>;

export type DockerRequest = {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Begins with a slash, without the version. Parts from outside are already percent-encoded. */
  readonly path: string;
  readonly query?: Query;
  /** A stream is sent as a tar archive, anything else as JSON. */
  readonly body?: Readable | object;
  readonly signal?: AbortSignal;
  /** Silence after which the request fails. Default 60 s; 0: wait for ever. */
  readonly timeoutMs?: number;
};

/** Plain requests to one daemon, kept-alive. Knows the wire, not what the endpoints mean. */
export type DockerHttp = {
  /** The answer's body as a stream. @throws DockerError, AppError `backend_unavailable`, the signal's reason */
  open(asked: DockerRequest): Promise<IncomingMessage>;
  /** What `use` makes of the answer's body; a connection that breaks meanwhile is told as one that was not made. Throws as `open` does. */
  read<Result>(asked: DockerRequest, use: (body: IncomingMessage) => Promise<Result>): Promise<Result>;
  /** The answer's body as JSON; undefined when it is empty. Throws as `open` does. */
  json(asked: DockerRequest): Promise<unknown>;
  /** The raw connection after "101 Switching Protocols". The caller ends it. Throws as `open` does. */
  hijack(asked: DockerRequest): Promise<Duplex>;
  close(): void;
};

const MAX_JSON_BYTES = 32 * 1024 * 1024;
const MAX_ERROR_BYTES = 16 * 1024;
const SILENCE_MS = 60_000;
const SILENT = "The daemon does not answer.";

export function dockerHttp(endpoint: DockerEndpoint): DockerHttp {
  const agent = new DialAgent(endpoint, true);
  const open = (asked: DockerRequest) => send(endpoint, agent, asked);
  const read: DockerHttp["read"] = async (asked, use) => {
    const body = await open(asked);
    try {
      return await use(body);
    } catch (thrown) {
      if (thrown instanceof DockerError || thrown instanceof AppError) throw thrown;
      if (thrown instanceof SyntaxError) throw unintelligible(thrown);
      throw reasonFor(endpoint, asked, cutShort(thrown as NodeJS.ErrnoException));
    }
  };
  return {
    open,
    read,
    json: (asked) => read(asked, async (body) => parsed(await text(body, MAX_JSON_BYTES))),
    hijack: (asked) => upgrade(endpoint, asked),
    close: () => agent.destroy(),
  };
}

/** Connections to one daemon for `node:http`, whichever way it is reached. */
class DialAgent extends Agent {
  readonly #endpoint: DockerEndpoint;

  constructor(endpoint: DockerEndpoint, keepAlive: boolean) {
    super({ keepAlive, maxFreeSockets: 4 });
    this.#endpoint = endpoint;
  }

  override createConnection(_options: unknown, connected: (error: Error | null, stream: Duplex) => void): undefined {
    dial(this.#endpoint).then(
      (stream) => connected(null, stream),
      // Node wants a stream beside the error in the types, and uses none.
      (error: Error) => (connected as (error: Error) => void)(error),
    );
  }
}

async function send(endpoint: DockerEndpoint, agent: Agent, asked: DockerRequest): Promise<IncomingMessage> {
  asked.signal?.throwIfAborted();
  const outgoing = request({ ...optionsOf(asked), agent });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
  });
  outgoing.setTimeout(asked.timeoutMs ?? SILENCE_MS, () => outgoing.destroy(new Error(SILENT)));
  try {
    const written = write(outgoing, asked.body);
    const response = await answered;
    // A daemon that refuses what it is sent need not read the rest of it.
    const taken = await accepted(response).catch((thrown: unknown) => {
      if (!outgoing.writableFinished) outgoing.destroy();
      throw thrown;
    });
    await written;
    return taken;
  } catch (thrown) {
    if (thrown instanceof DockerError) throw thrown;
    // A kept connection that the daemon ended meanwhile, at its restart for instance, says nothing of the daemon.
    const error = thrown as NodeJS.ErrnoException;
    const wasStale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
    if (wasStale && asked.method === "GET") return send(endpoint, agent, asked);
    throw reasonFor(endpoint, asked, error);
  }
}

async function write(outgoing: ReturnType<typeof request>, body: Readable | object | undefined): Promise<void> {
  if (body === undefined) return void outgoing.end();
  if (!("pipe" in body)) return void outgoing.end(JSON.stringify(body));
  try {
    await pipeline(body, outgoing);
  } catch (error) {
    // The daemon may answer and hang up before it has read all; then its answer says more than this.
    if (!outgoing.destroyed || (error as NodeJS.ErrnoException).code !== "EPIPE") outgoing.destroy(error as Error);
  }
}

/** After that the connection may be silent for as long as it likes. */
function upgrade(endpoint: DockerEndpoint, asked: DockerRequest): Promise<Duplex> {
  const options = optionsOf(asked);
  const headers = { ...options.headers, connection: "Upgrade", upgrade: "tcp" };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, headers, agent: new DialAgent(endpoint, false) });
    const late = setTimeout(() => outgoing.destroy(new Error(SILENT)), asked.timeoutMs ?? SILENCE_MS);
    outgoing.on("close", () => clearTimeout(late));
    outgoing.on("upgrade", (_response, socket, head) => {
      clearTimeout(late);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    outgoing.on("response", (response) => {
      const refused = new DockerError(response.statusCode ?? 0, "The daemon did not open a stream.");
      accepted(response).then(() => reject(refused), reject);
    });
    outgoing.on("error", (error) => reject(reasonFor(endpoint, asked, error)));
    outgoing.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  });
}

function optionsOf(asked: DockerRequest) {
  const query = asked.query === undefined ? "" : `?${new URLSearchParams(asked.query).toString()}`;
  const type = asked.body === undefined ? {} : { "content-type": contentType(asked.body) };
  return {
    method: asked.method,
    path: asked.path + query,
    headers: { host: "docker", ...type },
    ...(asked.signal === undefined ? {} : { signal: asked.signal }),
  };
}

function contentType(body: Readable | object): string {
  return "pipe" in body ? "application/x-tar" : "application/json";
}

/** Node says only that it is aborted. */
function cutShort(cause: NodeJS.ErrnoException): NodeJS.ErrnoException {
  if (cause.code !== "ECONNRESET") return cause;
  const code = cause.code;
  return Object.assign(new Error("It ended the connection in the middle of an answer.", { cause }), { code });
}

function reasonFor(endpoint: DockerEndpoint, asked: DockerRequest, error: NodeJS.ErrnoException): unknown {
  if (asked.signal?.aborted === true) return asked.signal.reason;
  return unreachable(endpoint, error);
}

/** @throws DockerError when the status says that the daemon refused */
async function accepted(response: IncomingMessage): Promise<IncomingMessage> {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  const body = await text(response, MAX_ERROR_BYTES).catch(() => "");
  throw new DockerError(status, messageIn(body) ?? `the daemon answered ${status}`);
}

async function text(stream: Readable, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    parts.push(part as Buffer);
    size += (part as Buffer).length;
    if (size > maxBytes) throw new DockerError(0, "The daemon's answer is too large.");
  }
  return Buffer.concat(parts).toString("utf8");
}

function parsed(body: string): unknown {
  return body.trim() === "" ? undefined : (JSON.parse(body) as unknown);
}

function messageIn(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === "string" ? message : undefined;
  } catch {
    return body === "" ? undefined : body;
  }
}
