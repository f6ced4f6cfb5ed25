import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { freePort } from "./free-port.ts";

/** Whether `redis-server` is there; says on standard error when it is not. */
export function canStartRedis(): boolean {
  const found = spawnSync("redis-server", ["--version"]).status === 0;
  if (!found) process.stderr.write("Redis is not installed (Debian: redis-server): not tested.\n");
  return found;
}

export type RedisServer = { readonly url: string; signal(name: NodeJS.Signals): void; stop(): Promise<void> };

/** A throw-away server on loopback that keeps nothing. `more` are further options of its command line. */
export async function startRedis(...more: readonly string[]): Promise<RedisServer> {
  const port = await freePort();
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...more];
  const child = spawn("redis-server", options, { stdio: ["ignore", "pipe", "ignore"], cwd: "/" });
  for await (const chunk of child.stdout) if (String(chunk).includes("Ready to accept connections")) break;
  child.stdout.destroy();
  return {
    url: `redis://127.0.0.1:${port}`,
    signal: (name) => void child.kill(name),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
