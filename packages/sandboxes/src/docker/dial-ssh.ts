import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { Duplex } from "node:stream";
import { spawnWhole } from "../spawn-whole.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { UnreachableError } from "./docker-unreachable.ts";

type SshEndpoint = Extract<DockerEndpoint, { type: "ssh" }>;

const OPTIONS = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=20"];
const MAX_COMPLAINT = 2000;

/**
 * A connection to the daemon of another machine, through the program ssh and the docker program there: one process a
 * connection, which ends with it. Keys, known hosts and connection sharing are those of the user's ssh configuration.
 * ssh asks nobody anything. It gives no sign that it is connected: what is wrong comes as the stream's error.
 * @throws UnreachableError when there is no ssh here
 */
export async function dialSsh({ destination, port }: SshEndpoint): Promise<Duplex> {
  const where = port === undefined ? [] : ["-p", String(port)];
  const command = ["docker", "system", "dial-stdio"];
  const child = spawnWhole("ssh", [...OPTIONS, ...where, "--", destination, ...command], { stdio: "pipe" });
  await new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => {
      reject(new UnreachableError("The program ssh is not installed here, which an ssh address needs.", { cause }));
    });
  });
  return new SshStream(child, destination);
}

/** The standard input and output of ssh as one stream, as far as `node:http` uses sockets. */
class SshStream extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams;
  #complaint = "";
  #silence: { readonly ms: number; timer: NodeJS.Timeout } | undefined;

  constructor(child: ChildProcessWithoutNullStreams, destination: string) {
    super({ allowHalfOpen: true });
    this.#child = child;
    child.stderr.on("data", (bytes: Buffer) => {
      this.#complaint = (this.#complaint + bytes.toString()).slice(-MAX_COMPLAINT);
    });
    child.stdout.on("data", (bytes: Buffer) => {
      this.#heard();
      if (!this.push(bytes)) child.stdout.pause();
    });
    child.stdin.on("error", () => {});
    child.on("close", (code) => {
      if (code === 0) this.push(null);
      else this.destroy(new UnreachableError(explainSsh(destination, code, this.#complaint)));
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#heard();
    if (this.#child.stdin.write(bytes)) done();
    else this.#child.stdin.once("drain", done);
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#silence?.timer);
    this.#child.kill();
    done(error);
  }

  /** As a socket's: "timeout" after `ms` without a byte in either direction; 0 turns it off, and the listener too. */
  setTimeout(ms: number, listener?: () => void): this {
    clearTimeout(this.#silence?.timer);
    if (listener !== undefined && ms === 0) this.removeListener("timeout", listener);
    else if (listener !== undefined) this.once("timeout", listener);
    this.#silence = ms === 0 ? undefined : { ms, timer: setTimeout(() => this.emit("timeout"), ms) };
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    this.#child.ref();
    return this;
  }

  unref(): this {
    this.#child.unref();
    return this;
  }

  #heard(): void {
    this.#silence?.timer.refresh();
  }
}

/** What ssh's exit code and last words mean, with what to do. */
export function explainSsh(destination: string, code: number | null, complaint: string): string {
  const said = complaint.trim().split("\n").at(-1)?.trim().slice(0, 300) ?? "";
  const remedy = REMEDIES.find(([pattern]) => pattern.test(complaint))?.[1];
  const words = said === "" ? `it ended with code ${code}` : said.replace(/\.$/, "");
  return `ssh to ${destination} failed: ${words}. ${remedy ?? `Try it by hand: ssh ${destination} docker version`}`;
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /permission denied while trying to connect to the docker/i,
    "That user may not use the daemon's socket there: add it to the group docker on that machine.",
  ],
  [/permission denied/i, "Give this user a key that works without a question, in ssh's agent or its configuration."],
  [/host key verification failed/i, "Connect once by hand, so that the host's key is known."],
  [/command not found|docker: not found/i, "Install the docker program on that machine."],
  [/cannot connect to the docker daemon/i, "Start the Docker daemon on that machine."],
];
