import { expect, test } from "vitest";
import { callId, callsOf, type SandboxOpener } from "./sandbox-fixture.ts";

const RUN = { terminal: "main", timeoutMs: 20_000, capBytes: 20_000 } as const;

export function sandboxCallContract(name: string, open: SandboxOpener): void {
  once(name, open);
  stopping(name, open);
  restarts(name, open);
}

function once(name: string, open: SandboxOpener): void {
  test(`${name}: the same id twice runs once, and both get the outcome`, async () => {
    const { sandbox } = await open();
    const { call, shell } = callsOf(sandbox);
    const id = callId();
    const args = { ...RUN, command: "echo line >> once.txt; sleep 0.2; echo done" };
    const [first, second] = await Promise.all([call("terminal.run", args, { id }), call("terminal.run", args, { id })]);
    const third = await call("terminal.run", args, { id });
    expect([first, second, third].map((report) => report.output)).toEqual(["done\n", "done\n", "done\n"]);
    expect(await shell("cat once.txt")).toBe("line\n");
  });

  test(`${name}: the status of a call is unknown, then running, then ended until it is acknowledged`, async () => {
    const { sandbox } = await open();
    const { call, shell } = callsOf(sandbox);
    const id = callId();
    expect(await sandbox.status(id)).toBe("unknown");
    const ended = call("terminal.run", { ...RUN, command: "until [ -e go ]; do sleep 0.05; done" }, { id });
    expect(await sandbox.status(id)).toBe("running");
    await shell("touch go");
    await ended;
    expect(await sandbox.status(id)).toBe("ended");
    sandbox.acknowledge([id]);
    expect(await sandbox.status(id)).toBe("unknown");
  });

  test(`${name}: arguments that make no sense are refused`, async () => {
    const { call } = callsOf((await open()).sandbox);
    const args = { ...RUN, terminal: "../up", command: "true" };
    await expect(call("terminal.run", args)).rejects.toMatchObject({ code: "tool_arguments" });
  });
}

function stopping(name: string, open: SandboxOpener): void {
  test(`${name}: an abort rejects with its reason and ends what ran soon, deaf programs too`, async () => {
    const { sandbox } = await open();
    const { call, run, shell } = callsOf(sandbox);
    await run("export KEPT=yes");
    const stop = new AbortController();
    const command = "sh -c 'trap \"\" INT TERM; echo $$ > pid.txt; while :; do sleep 1; done'";
    const reason = new Error("The user stopped it.");
    const stopped = expect(
      call("terminal.run", { ...RUN, command }, { id: callId(), signal: stop.signal }),
    ).rejects.toBe(reason);
    await shell("while [ ! -s pid.txt ]; do sleep 0.05; done");
    stop.abort(reason);
    await stopped;
    const look = () => shell("kill -0 $(cat pid.txt) 2>/dev/null && echo alive || echo dead");
    await expect.poll(look, { timeout: 10_000 }).toBe("dead\n");
    // Its terminal is busy until the shell has seen that it is dead.
    const kept = () => run("echo $KEPT").catch((thrown: unknown) => thrown);
    await expect.poll(kept, { timeout: 10_000 }).toMatchObject({ output: "yes\n" });
  });

  test(`${name}: a call that is aborted before it is made is not made`, async () => {
    const { call, shell } = callsOf((await open()).sandbox);
    const stop = new AbortController();
    stop.abort(new Error("too late"));
    const args = { ...RUN, command: "touch made" };
    await expect(call("terminal.run", args, { signal: stop.signal })).rejects.toThrow("too late");
    expect(await shell("ls")).toBe("");
  });
}

function restarts(name: string, open: SandboxOpener): void {
  test(`${name}: a call goes on without its server, which gets outcome and output after a restart`, async ({
    skip,
  }) => {
    const opened = await open();
    if (opened.restartLink === undefined) return skip("this backend does not restart links");
    const id = callId();
    const args = {
      ...RUN,
      command: "echo early >> once.txt; echo early; until [ -e go ]; do sleep 0.05; done; echo late",
    };
    const lost = callsOf(opened.sandbox)
      .call("terminal.run", args, { id })
      .catch((thrown: unknown) => thrown);
    await callsOf(opened.sandbox).shell("while [ ! -s once.txt ]; do sleep 0.05; done");
    const sandbox = await opened.restartLink();
    expect(await lost).toMatchObject({ code: "sandbox_gone" });
    expect(sandbox.bootId).toBe(opened.sandbox.bootId);
    expect(await sandbox.status(id)).toBe("running");
    let text = "";
    const onOutput = (_offset: number, bytes: Uint8Array) => {
      text += String.fromCharCode(...bytes);
    };
    const report = callsOf(sandbox).call("terminal.run", args, { id, onOutput, outputFrom: 7 });
    await callsOf(sandbox).shell("touch go");
    expect(await report).toMatchObject({ output: "early\nlate\n", exitCode: 0 });
    expect(text).toBe("late\r\n");
    expect(await callsOf(sandbox).shell("cat once.txt")).toBe("early\n");
  });

  test(`${name}: an outcome is kept over restarts until it is acknowledged`, async ({ skip }) => {
    const opened = await open();
    if (opened.restartLink === undefined) return skip("this backend does not restart links");
    const id = callId();
    const args = { path: "a.txt", text: "one", expectedHash: null };
    const first = await callsOf(opened.sandbox).call("file.write", args, { id });
    const sandbox = await opened.restartLink();
    expect(await sandbox.status(id)).toBe("ended");
    expect(await callsOf(sandbox).call("file.write", args, { id })).toEqual(first);
    sandbox.acknowledge([id]);
    await expect(callsOf(sandbox).call("file.write", args, { id })).rejects.toMatchObject({ code: "file_exists" });
  });
}
