import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { DISK_FULL_EXIT } from "@handrail/protocol/sandboxd/exits";
import type { ServeConfig } from "./config.ts";
import type { Handlers } from "./handlers.ts";
import { Late } from "./late.ts";
import { guardFirstProcess, IS_FIRST } from "./first-process.ts";
import { findExecutable } from "./find-executable.ts";
import { sharedSpace } from "./shared-space.ts";
import { spaceWatch } from "./space-watch.ts";
import { signalProcess } from "./terminals/processes.ts";
import { whenIdle } from "./when-idle.ts";
import { transparent } from "./transparent/transparent.ts";
import { VERSION } from "./version.ts";
import type { Work } from "./work.ts";
import { Connection } from "./wire/connection.ts";
import { egressListener } from "./wire/egress.ts";
import { keepDialling, listen } from "./wire/endpoints.ts";

/** What calls need takes longer to load than all else at a start. A sandbox that waits for its conversation loads it now. */
const LOAD_AFTER_MS = 1000;

/**
 * Runs the daemon until SIGTERM or SIGINT, or until it was idle for as long as it may. As the first process of a sandbox
 * it takes no signal, and is ended from outside.
 */
export async function serve(config: ServeConfig): Promise<void> {
  if (IS_FIRST) await guardFirstProcess();
  mkdirSync(config.state, { recursive: true, mode: 0o700 });
  mkdirSync(config.workspace, { recursive: true });
  const workspace = realpathSync(config.workspace);
  const shell = requireShell(config.env);
  const git = findExecutable("git", config.env);
  const state = realpathSync(config.state);
  const own = new Set(config.egressPort === undefined ? [] : [config.egressPort]);
  const ports = {
    own,
    openChannel: (ticket: string) => connections.latest?.openChannel("port", ticket),
  };
  const place = { workspace, state, shell, git, env: config.env, ports };
  const watch = watchSpace(config);
  const work = new Late(async () => (await import("./work.ts")).work(place, watch));
  const connections: Connections = new Connections(work, {
    version: VERSION,
    bootId: crypto.randomUUID(),
    workspace,
    user: userName(),
    shell,
    git: git !== undefined,
  });
  await meet(config, state, connections);
  if (config.egressPort !== undefined) await egressListener(config.egressPort, () => connections.latest);
  setTimeout(() => void work.load().then((loaded) => loaded.load()), LOAD_AFTER_MS).unref();
  if (config.transparent) transparent(() => connections.latest?.openChannel("egress"), own);
  await stopped(config.idleExitSeconds, () => connections.size === 0 && (work.loaded?.calls.running ?? 0) === 0);
  work.loaded?.close();
}

/** All but the first process of a sandbox are its programs; where there is none such, it cannot tell them. */
function watchSpace({ keepFree, shared }: ServeConfig): (handlers: Handlers) => Handlers {
  if (keepFree === undefined || shared.length === 0 || !IS_FIRST) return (handlers) => handlers;
  return spaceWatch({
    ...sharedSpace(shared, keepFree),
    endPrograms: () => void signalProcess(-1, "SIGKILL"),
    leave: (why) => {
      process.stderr.write(`${why}\n`);
      process.exit(DISK_FULL_EXIT);
    },
  }).watch;
}

function requireShell(env: ServeConfig["env"]): string {
  const shell = findExecutable("bash", env) ?? findExecutable("sh", { PATH: "/bin" });
  if (shell !== undefined) return shell;
  throw new Error("This system has no shell: neither bash nor /bin/sh.");
}

/** Waits for servers where it was told to, and dials the one that it was told of. */
async function meet(config: ServeConfig, state: string, connections: Connections): Promise<void> {
  const { linkToken, dial } = config;
  const fileToken = config.tokenFile === undefined ? undefined : readFileSync(config.tokenFile, "utf8").trim();
  const address = config.listen ?? (dial === undefined ? { path: join(state, "socket") } : undefined);
  if (address !== undefined) await listen(address, (socket) => connections.add(socket, fileToken ?? linkToken));
  if (config.stdio) connections.add(Duplex.from({ readable: process.stdin, writable: process.stdout }), fileToken);
  if (dial === undefined) return;
  keepDialling({ path: dial }, (socket) => {
    if (linkToken !== undefined) socket.write(linkToken);
    connections.add(socket, fileToken);
  });
}

/** Connections that have not been welcomed: a program in the sandbox can make many. */
const MAX_STRANGERS = 64;

type ConnectionOptions = ConstructorParameters<typeof Connection>[1];

/** The servers that are connected. */
class Connections {
  readonly #work: Late<Work>;
  readonly #welcome: ConnectionOptions["welcome"];
  readonly #strangers = new Set<Connection>();
  #open: readonly Connection[] = [];

  constructor(work: Late<Work>, welcome: ConnectionOptions["welcome"]) {
    this.#work = work;
    this.#welcome = welcome;
  }

  get size(): number {
    this.#open = this.#open.filter((connection) => connection.open);
    return this.#open.length;
  }

  /** The one that was welcomed last. */
  get latest(): Connection | undefined {
    return this.#open.findLast((connection) => connection.open);
  }

  /** `token`: what the server has to say; undefined: nothing. However many say nothing, the next one is heard. */
  add(stream: Duplex, token: string | undefined): void {
    const connection = new Connection(stream, { work: this.#work, welcome: this.#welcome, token });
    this.#strangers.add(connection);
    const [oldest] = this.#strangers;
    if (this.#strangers.size > MAX_STRANGERS) oldest?.close();
    connection.welcomed
      .then((welcomed) => {
        this.#strangers.delete(connection);
        if (welcomed) this.#open = [...this.#open.filter((other) => other.open), connection];
      })
      .catch(() => {});
  }
}

async function stopped(idleSeconds: number | undefined, isIdle: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    if (!IS_FIRST) onSignals(resolve);
    if (idleSeconds !== undefined) whenIdle(idleSeconds * 1000, isIdle, resolve);
  });
}

/** A first process is ended from outside, and with it all that runs in the sandbox: a program inside must not do it. */
function onSignals(stop: () => void): void {
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.on("SIGHUP", () => {});
}

/** The name of this process's user; its number where the image has no name for it. */
function userName(): string {
  const uid = String(process.getuid?.() ?? "");
  try {
    const rows = readFileSync("/etc/passwd", "utf8").split("\n");
    return rows.map((row) => row.split(":")).find((fields) => fields[2] === uid)?.[0] ?? uid;
  } catch {
    return uid;
  }
}
