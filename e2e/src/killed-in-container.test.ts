import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { holdArchive } from "@handrail/sandboxes/testing/held-daemon";
import { expect, onTestFinished, test } from "vitest";
import { CONTAINED, containedServersWork } from "./support/contained-server.ts";
import { startConversation } from "./support/conversations.ts";
import { askDocker } from "./support/docker-socket.ts";
import { installationOf } from "./support/installation-of.ts";
import { type ServerOptions, startServer, type TestServer } from "./support/test-server.ts";

const SOCKET = (process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock").replace("unix://", "");
const LOOKED = "looked for what is left over";
const WAIT = { timeout: 30_000 };

const works = containedServersWork();

type Container = { readonly Id: string; readonly Labels: Readonly<Record<string, string>> };

/** The containers through which a server's volume of programs is filled. */
async function carriers({ home }: TestServer): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`handrail.installation=${installationOf(home)}`] }));
  const { body } = await askDocker("GET", `/containers/json?all=true&filters=${filters}`);
  return (body as readonly Container[]).filter(isCarrier).map(({ Id }) => Id);
}

const isCarrier = ({ Labels }: Container) =>
  Labels["handrail.programs"] !== undefined && Labels["handrail.helper"] === undefined;

async function start(options: ServerOptions): Promise<TestServer> {
  const env = { HANDRAIL_SANDBOX: "docker", LOG_LEVEL: "debug", ...options.env };
  return startServer({ within: CONTAINED, ...options, env });
}

/** A server in a container that stands still while it fills the volume of programs. */
async function stoppedAtFilling() {
  const directory = await mkdtemp(path.join(tmpdir(), "handrail-contained-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const isHeld = async (id: string) => {
    const { body } = await askDocker("GET", `/containers/${id}/json`);
    return isCarrier((body as { readonly Config: Container }).Config);
  };
  const daemon = await holdArchive(path.join(directory, "docker.sock"), SOCKET, isHeld);
  onTestFinished(() => daemon.close());
  const server = await start({ home: path.join(directory, "home"), env: { DOCKER_HOST: daemon.host } });
  onTestFinished(() => server.dispose());
  const started = startConversation(server.client, { backend: "docker", task: "wait" }).catch(() => undefined);
  await daemon.held;
  const crash = async () => {
    await server.crash();
    await started;
  };
  return { directory, server, crash };
}

test.skipIf(!works)(
  "what a server in a container was at work with when it was killed goes at the start of the next one",
  async () => {
    const { server, crash } = await stoppedAtFilling();
    expect(await carriers(server)).toHaveLength(1);
    await crash();
    const next = await start({ home: server.home });
    onTestFinished(() => next.dispose());
    await expect.poll(() => carriers(next), WAIT).toEqual([]);
  },
);

test.skipIf(!works)(
  "what a living server is at work with stays when another starts on a copy of its state directory, in its place in another container",
  async () => {
    const { directory, server } = await stoppedAtFilling();
    const before = await carriers(server);
    const copy = path.join(directory, "copy");
    await cp(server.home, copy, {
      recursive: true,
      preserveTimestamps: true,
      filter: (file) => !file.endsWith("sock"),
    });
    const inPlace = `mount --bind ${copy} ${server.home} && exec "$@"`;
    const other = await startServer({
      home: server.home,
      within: [...CONTAINED, "sh", "-c", inPlace, "sh"],
      env: { HANDRAIL_SANDBOX: "docker", LOG_LEVEL: "debug" },
    });
    onTestFinished(() => other.crash());
    await expect.poll(() => other.log(), WAIT).toContain(LOOKED);
    // Beside that of the other one, which fills a volume of its own.
    expect(await carriers(server)).toEqual(expect.arrayContaining([...before]));
    expect(before).toHaveLength(1);
  },
);
