import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { freePort } from "./free-port.ts";

const DEBIAN = "/usr/lib/postgresql";

/** Where Debian puts PostgreSQL's programs; undefined, said on standard error, when there are none. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const newest = versions.sort((one, other) => Number(other) - Number(one)).map((name) => join(DEBIAN, name, "bin"));
  const found = newest.find((folder) => existsSync(join(folder, "initdb")));
  if (found === undefined) process.stderr.write("PostgreSQL is not installed (Debian: postgresql): not tested.\n");
  return found;
}

/** A throw-away server on loopback. */
export type PostgresServer = {
  /** An empty database, or one that `recycle` emptied; gives its URL. */
  database(): Promise<string>;
  /** Empties the tables of a database that nobody uses any more. */
  recycle(url: string): Promise<void>;
  port(): number;
  start(): Promise<void>;
  /** Ends it at once; connections are cut. */
  stop(): Promise<void>;
  /** `SIGSTOP` and `SIGCONT` to all of its processes. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  remove(): Promise<void>;
};

/** Not started yet. The caller removes it. */
export async function postgresServer(programs: string): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), "postgres-"));
  const who = unprivileged();
  if (who.uid !== undefined && who.gid !== undefined) chownSync(directory, who.uid, who.gid);
  const data = join(directory, "data");
  const initdb = ["-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"];
  execFileSync(join(programs, "initdb"), initdb, { ...who, cwd: directory, stdio: "ignore" });
  const port = await freePort();
  let child: ChildProcess | undefined;
  let made = 0;
  const url = (name: string) => `postgres://postgres@127.0.0.1:${port}/${name}`;
  const free: string[] = [];
  const ask = async (text: string, at = url("postgres")): Promise<void> => {
    const client = new Client({ connectionString: at, connectionTimeoutMillis: 20_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query(text);
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const settings = ["fsync=off", "listen_addresses=127.0.0.1", `unix_socket_directories=${directory}`];
  const server: PostgresServer = {
    async recycle(used) {
      await ask(EMPTY, used);
      free.push(used);
    },
    async database() {
      const recycled = free.pop();
      if (recycled !== undefined) return recycled;
      const name = `t_${(made += 1)}`;
      await ask(`create database ${name}`);
      return url(name);
    },
    port: () => port,
    async start() {
      const options = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
      child = spawn(join(programs, "postgres"), options, { ...who, cwd: directory, stdio: "ignore" });
      await eventually(() => ask("select 1"));
    },
    async stop() {
      if (child?.pid === undefined || child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGINT");
      await ended;
      child = undefined;
    },
    signal(name) {
      const pid = child?.pid;
      if (pid === undefined) return;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
      for (const each of [pid, ...children]) sendSignal(each, name);
    },
    async remove() {
      // One that a failed test left standing still would never end.
      server.signal("SIGCONT");
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return server;
}

const TABLES = ["keys", "key_hashes", "owners", "reservations", "ledger", "daily_spend", "scope_counters", "replicas"];
const EMPTY = `truncate ${TABLES.map((table) => `handrail.${table}`).join(", ")}`;

/** To a process for one connection that may have ended by itself in the meantime. */
function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
  }
}

/** PostgreSQL does not run as root. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Tries until it succeeds, for at most a minute. */
export async function eventually<Value>(work: () => Promise<Value>): Promise<Value> {
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      if (Date.now() > until) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
