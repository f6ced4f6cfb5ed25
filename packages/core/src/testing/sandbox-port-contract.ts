import { expect, test } from "vitest";
import type { Sandbox } from "../ports/sandbox.ts";
import { callsOf, type SandboxOpener } from "./sandbox-fixture.ts";

const NEVER = new AbortController().signal;

/** What every `Sandbox` must do with ports that its programs listen on. */
export function sandboxPortContract(name: string, open: SandboxOpener): void {
  test(`${name}: a port that a program opens is noticed, and so is that it is closed`, async () => {
    const { sandbox } = await open();
    const { call, shell } = callsOf(sandbox);
    const before = await openPorts(sandbox, []);
    const opened = call("port.wait", { known: before, timeoutMs: 20_000 });
    const port = Number(await shell(`${ECHO_SERVER} & cat port`));
    expect((await opened).ports.filter((entry) => entry.port === port)).toEqual([{ port, program: "python3" }]);

    const closed = call("port.wait", { known: [...before, port], timeoutMs: 20_000 });
    await shell("kill $(cat pid)");
    expect((await closed).ports.map((entry) => entry.port)).not.toContain(port);
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

async function openPorts(sandbox: Sandbox, known: number[]): Promise<number[]> {
  const { ports } = await callsOf(sandbox).call("port.wait", { known, timeoutMs: 0 });
  return ports.map(({ port }) => port);
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
