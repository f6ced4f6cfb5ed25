import { expect, test } from "vitest";
import type { Sandbox } from "../ports/sandbox.ts";
import { callsOf, type SandboxOpener } from "./sandbox-fixture.ts";

const NEVER = new AbortController().signal;

/** What every `Sandbox` must do with ports that its programs listen on. */
export function sandboxPortContract(name: string, open: SandboxOpener): void {
  test(`${name}: a port that a program opens is noticed, and so is that it is closed`, async () => {
    const { sandbox } = await open();
    const { shell } = callsOf(sandbox);
    const before = await openPorts(sandbox, []);
    const started = Promise.withResolvers<number>();
    const opened = waitForPorts(sandbox, before, async (ports) => ports.includes(await started.promise));
    const port = Number(await shell(`${ECHO_SERVER} & cat port`));
    started.resolve(port);
    const known = await opened;
    expect(known.filter((entry) => entry.port === port)).toEqual([{ port, program: "python3" }]);

    const closed = waitForPorts(sandbox, numbersOf(known), (ports) => !ports.includes(port));
    await shell("kill $(cat pid)");
    expect(numbersOf(await closed)).not.toContain(port);
  });

  test(`${name}: a connection to a port carries bytes both ways`, async () => {
    const { sandbox } = await open();
    const port = Number(await callsOf(sandbox).shell(`${ECHO_SERVER} & cat port`));
    const connection = await sandbox.connect(port, NEVER);
    connection.write(new TextEncoder().encode("over and back"));
    const heard: string[] = [];
    for await (const bytes of connection) {
      heard.push(new TextDecoder().decode(bytes));
      if (heard.join("") === "over and back") break;
    }
    expect(heard.join("")).toBe("over and back");
    await callsOf(sandbox).shell("kill $(cat pid)");
  });

  test(`${name}: a connection to a port that nobody listens on is refused`, async () => {
    const { sandbox } = await open();
    await expect(sandbox.connect(9, NEVER)).rejects.toMatchObject({ code: "port_closed" });
  });
}

type OpenPort = { readonly port: number; readonly program?: string | undefined };

const numbersOf = (ports: readonly OpenPort[]): number[] => ports.map(({ port }) => port);

async function openPorts(sandbox: Sandbox, known: number[]): Promise<number[]> {
  const { ports } = await callsOf(sandbox).call("port.wait", { known, timeoutMs: 0 });
  return numbersOf(ports);
}

/** The open ports once they are as wanted, or once nothing has changed for long. Where a sandbox sees all ports of its machine, others' come and go meanwhile. */
async function waitForPorts(
  sandbox: Sandbox,
  known: number[],
  wanted: (ports: readonly number[]) => boolean | Promise<boolean>,
): Promise<readonly OpenPort[]> {
  const { ports } = await callsOf(sandbox).call("port.wait", { known, timeoutMs: 20_000 });
  const now = numbersOf(ports);
  const same = now.length === known.length && now.every((port) => known.includes(port));
  return same || (await wanted(now)) ? ports : waitForPorts(sandbox, now, wanted);
}

/** Says what it hears, on a port of its own choice. `port` is a pipe, so that reading it waits for the port. */
const ECHO_SERVER = `rm -f port; mkfifo port; python3 -c '
import os, socket
server = socket.create_server(("127.0.0.1", 0))
open("pid", "w").write(str(os.getpid()))
open("port", "w").write(str(server.getsockname()[1]))
while True:
    connection, _ = server.accept()
    while (heard := connection.recv(1000)):
        connection.sendall(heard)
' >/dev/null 2>&1`;
