import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { CONTAINED, containedServersWork } from "./support/contained-server.ts";
import { startConversation, runEnd } from "./support/conversations.ts";
import { askDocker } from "./support/docker-socket.ts";
import { installationOf } from "./support/installation-of.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

const run = promisify(execFile);
const LOOKED = "looked for what is left over";
const WAIT = { timeout: 60_000 };
const SCRIPT = { name: "hello", turns: [], otherwise: { text: "Hello." } };

/** Whose volumes the daemon has of a server. */
async function owners({ home }: TestServer): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`handrail.installation=${installationOf(home)}`] }));
  const { body } = await askDocker("GET", `/volumes?filters=${filters}`);
  const { Volumes } = body as { readonly Volumes: readonly { readonly Labels: Readonly<Record<string, string>> }[] };
  return [...new Set(Volumes.flatMap(({ Labels }) => Labels["handrail.conversation"] ?? []))].toSorted();
}

async function conversation({ client }: TestServer): Promise<string> {
  const id = await startConversation(client, { backend: "docker", task: "Say hello." });
  await runEnd(client, id);
  return id;
}

test.skipIf(!containedServersWork())(
  "when an older state is restored, workspaces in Docker that it does not know stay, and that is said",
  async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "handrail-restored-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const home = path.join(directory, "home");
    const { model, env: modelEnv } = await scriptedEnvironment(SCRIPT);
    onTestFinished(() => model.close());
    const env = { ...modelEnv, HANDRAIL_SANDBOX: "docker", HANDRAIL_DOCKER_DISKS: "false", LOG_LEVEL: "debug" };
    const options = { home, env, within: CONTAINED };
    const first = await startServer(options);
    const known = await conversation(first);
    await first.crash();
    await cp(home, path.join(directory, "backup"), {
      recursive: true,
      filter: (name) => path.basename(name) !== "lock",
    });
    const second = await startServer(options);
    const later = await conversation(second);
    await second.crash();
    await rm(home, { recursive: true });
    await run("mv", [path.join(directory, "backup"), home]);

    const restored = await startServer(options);
    onTestFinished(() => restored.dispose());
    await expect.poll(() => restored.log(), WAIT).toContain(LOOKED);
    // Beside those of spares.
    expect(await owners(restored)).toEqual(expect.arrayContaining([known, later]));
    expect(restored.log()).toContain("The state directory was restored or moved.");
  },
);
