import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { ServeConfig } from "./config.ts";
import { findExecutable } from "./find-executable.ts";
import { operations } from "./operations.ts";
import { VERSION } from "./version.ts";
import { Calls } from "./wire/calls.ts";
import { Connection } from "./wire/connection.ts";
import { egressListener } from "./wire/egress.ts";
import { keepDialling, listen } from "./wire/endpoints.ts";

/**
 * Runs the daemon until SIGTERM or SIGINT, or until it was idle for as long as it may. Programs that outlive their
 * parents are not reaped: as the first process of a container, start it under an init (`docker run --init`).
 */
export async function serve(config: ServeConfig): Promise<void> {
  mkdirSync(config.state, { recursive: true, mode: 0o700 });
  mkdirSync(config.workspace, { recursive: true });
  const workspace = realpathSync(config.workspace);
  const shell = requireShell(config.env);
  const git = findExecutable("git", config.env);
  const state = realpathSync(config.state);
  const ports = {
    own: config.egressPort === undefined ? [] : [config.egressPort],
    openChannel: (ticket: string) => connections.latest?.openChannel("port", ticket),
  };
  const { handlers, ...shells } = operations({ workspace, state, shell, git, env: config.env, ports });
  const calls = new Calls(handlers);
  const connections: Connections = new Connections(calls, {
    token: config.tokenFile === undefined ? undefined : readFileSync(config.tokenFile, "utf8").trim(),
    welcome: {
      version: VERSION,
      bootId: randomUUID(),
      workspace,
      user: userName(),
      shell,
      git: git !== undefined,
    },
  });
  const address = config.listen ?? (config.dial === undefined ? { path: join(state, "socket") } : undefined);
  if (address !== undefined) await listen(address, (socket) => connections.add(socket));
  if (config.stdio) connections.add(Duplex.from({ readable: process.stdin, writable: process.stdout }));
  if (config.dial !== undefined) keepDialling({ path: config.dial }, (socket) => connections.add(socket));
  if (config.egressPort !== undefined) await egressListener(config.egressPort, () => connections.latest);
  await stopped(config.idleExitSeconds, () => connections.size === 0 && calls.running === 0);
  shells.close();
}

function requireShell(env: ServeConfig["env"]): string {
  const shell = findExecutable("bash", env) ?? findExecutable("sh", { PATH: "/bin" });
  if (shell !== undefined) return shell;
  throw new Error("This system has no shell: neither bash nor /bin/sh.");
}

/** The servers that are connected. */
class Connections {
  readonly #calls: Calls;
  readonly #options: Pick<ConstructorParameters<typeof Connection>[1], "token" | "welcome">;
  #open: readonly Connection[] = [];

  constructor(calls: Calls, options: Pick<ConstructorParameters<typeof Connection>[1], "token" | "welcome">) {
    this.#calls = calls;
    this.#options = options;
  }

  get size(): number {
    this.#open = this.#open.filter((connection) => connection.open);
    return this.#open.length;
  }

  /** The one that was welcomed last. */
  get latest(): Connection | undefined {
    return this.#open.findLast((connection) => connection.open);
  }

  add(stream: Duplex): void {
    const connection = new Connection(stream, { calls: this.#calls, ...this.#options });
    connection.welcomed
      .then((welcomed) => {
        if (welcomed) this.#open = [...this.#open.filter((other) => other.open), connection];
      })
      .catch(() => {});
  }
}

async function stopped(idleSeconds: number | undefined, isIdle: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    process.on("SIGHUP", () => {});
    if (idleSeconds === undefined) return;
    let idleSince = Date.now();
    setInterval(() => {
      if (!isIdle()) idleSince = Date.now();
      else if (Date.now() - idleSince >= idleSeconds * 1000) resolve();
    }, 1000);
  });
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
