import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { expect } from "vitest";
import { eventually } from "./postgres-server.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

/** A server that is also asked for commands of a test's own. */
export type RedisCluster = RedisServer & {
  /** Sends one command over a connection of its own. */
  command(...words: string[]): Promise<unknown>;
};

/** One node with all slots: it refuses what a cluster refuses. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const home = mkdtempSync(join(tmpdir(), "redis-"));
  const server = await startRedis("--cluster-enabled", "yes", "--dir", home);
  const command = async (...words: string[]): Promise<unknown> => {
    const client = createClient({ url: server.url });
    await client.connect();
    try {
      return await client.sendCommand(words);
    } finally {
      client.destroy();
    }
  };
  await command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await eventually(async () => expect(await command("CLUSTER", "INFO")).toContain("cluster_state:ok"));
  return {
    ...server,
    command,
    async stop() {
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
