import type { OperationResult } from "@handrail/protocol/sandboxd/operations";
import { expect, test } from "vitest";
import { type Calls, callsOf, type SandboxOpener } from "./sandbox-fixture.ts";

const WAIT = { terminal: "main", timeoutMs: 60_000, capBytes: 20_000 } as const;
/** Goes on once there is a file `go`. */
const CUE = "until [ -e go ]; do sleep 0.05; done";

export function sandboxTerminalContract(name: string, open: SandboxOpener): void {
  commands(name, open);
  interaction(name, open);
}

function commands(name: string, open: SandboxOpener): void {
  test(`${name}: a command gives its output and its exit code`, async () => {
    const { run } = callsOf((await open()).sandbox);
    const report = await run("printf 'one\\ntwo\\n'; (exit 7)");
    expect(report).toMatchObject({ output: "one\ntwo\n", outputBytes: 10, exitCode: 7, running: false });
  });

  test(`${name}: directory, variables and the last exit code live on between commands`, async () => {
    const { run } = callsOf((await open()).sandbox);
    await run("mkdir -p sub && cd sub && export COLOUR=blue; false");
    const report = await run('echo "$? $COLOUR ${PWD##*/}"');
    expect(report.output).toBe("1 blue sub\n");
    expect(report.cwd).toMatch(/\/sub$/);
  });

  test(`${name}: several terminals are apart from each other`, async () => {
    const { run } = callsOf((await open()).sandbox);
    await run("export COLOUR=blue");
    const other = await run('echo "[$COLOUR]"', { terminal: "other" });
    expect(other.output).toBe("[]\n");
  });

  test(`${name}: a command of many lines, quotes and a here-document runs as it is`, async () => {
    const { run } = callsOf((await open()).sandbox);
    const report = await run('cat <<\'END\'\nit\'s "so" $HOME `id`\nEND\nfor i in 1 2; do\n  echo "n $i"\ndone');
    expect(report.output).toBe('it\'s "so" $HOME `id`\nn 1\nn 2\n');
  });

  test(`${name}: a shell that ends is followed by a new one in the same directory`, async () => {
    const { run } = callsOf((await open()).sandbox);
    await run("mkdir -p deep && cd deep");
    expect(await run("exit 3")).toMatchObject({ exitCode: null, running: false });
    expect((await run("echo ${PWD##*/}")).output).toBe("deep\n");
  });

  test(`${name}: output over the cap keeps head and tail and names the file with all of it`, async () => {
    const { run, shell } = callsOf((await open()).sandbox);
    const report = await run("seq 1 100000", { capBytes: 1000 });
    expect(report.output.length).toBeLessThan(1200);
    expect(report.output).toMatch(/^1\n2\n3\n/);
    expect(report.output).toMatch(/99999\n100000\n$/);
    expect(report).toMatchObject({ exitCode: 0, outputBytes: 688_895 });
    expect(await shell(`wc -c < '${report.outputFile}'`)).toContain("688895");
  });

  test(`${name}: a flood of output comes back cut, and the shell is fit for more`, async () => {
    const { run } = callsOf((await open()).sandbox);
    const report = await run("head -c 20000000 /dev/zero | tr '\\0' x", { capBytes: 2000, timeoutMs: 60_000 });
    expect(report).toMatchObject({ exitCode: 0, outputBytes: 20_000_000 });
    expect((await run("echo still here")).output).toBe("still here\n");
  });

  test(`${name}: control codes and overwritten lines are not in the text`, async () => {
    const { run } = callsOf((await open()).sandbox);
    const report = await run("printf '\\033[31mred\\033[0m\\n10%%\\r20%%\\rdone\\n\\033]0;title\\007x\\n'");
    expect(report.output).toBe("red\ndone\nx\n");
  });

  test(`${name}: raw output comes live, each byte at its offset`, async () => {
    const { call } = callsOf((await open()).sandbox);
    const seen: number[] = [];
    const args = { ...WAIT, command: "echo first; sleep 0.1; echo second" };
    await call("terminal.run", args, {
      onOutput: (offset, bytes) => {
        for (const [index, byte] of bytes.entries()) seen[offset + index] = byte;
      },
    });
    expect(String.fromCharCode(...seen)).toBe("first\r\nsecond\r\n");
  });
}

/** The last report of a command that is over, with all that it said since the first: a report comes as soon as there is news. */
async function atEnd(call: Calls["call"], first: OperationResult<"terminal.wait">) {
  const reports = [first];
  while (reports.at(-1)?.running === true) reports.push(await call("terminal.wait", WAIT));
  return { ...reports.at(-1), output: reports.map(({ output }) => output).join("") };
}

function interaction(name: string, open: SandboxOpener): void {
  test(`${name}: a command over its time goes on, and a wait gives the rest`, async () => {
    const { run, call, shell } = callsOf((await open()).sandbox);
    const first = await run(`echo before; ${CUE}; echo after`, { timeoutMs: 1000 });
    expect(first).toMatchObject({ output: "before\n", exitCode: null, running: true });
    await shell("touch go");
    const rest = await atEnd(call, await call("terminal.wait", WAIT));
    expect(rest).toMatchObject({ output: "after\n", exitCode: 0, running: false });
  });

  test(`${name}: a terminal with a running command refuses another one`, async () => {
    const { run } = callsOf((await open()).sandbox);
    await run("sleep 30", { timeoutMs: 50 });
    await expect(run("echo no")).rejects.toMatchObject({ code: "terminal_busy" });
  });

  test(`${name}: input that is sent reaches the program`, async () => {
    const { run, call } = callsOf((await open()).sandbox);
    await run('read -r line; echo "got $line"', { timeoutMs: 100 });
    const report = await atEnd(call, await call("terminal.send", { ...WAIT, text: "hello", key: "enter" }));
    expect(report.output).toContain("got hello\n");
    expect(report).toMatchObject({ exitCode: 0, running: false });
  });

  test(`${name}: ctrl-c ends the program and leaves the shell`, async () => {
    const { run, call, shell } = callsOf((await open()).sandbox);
    await run("export KEPT=yes; touch kept; sleep 300", { timeoutMs: 100 });
    await shell("until [ -e kept ]; do sleep 0.05; done");
    const report = await atEnd(call, await call("terminal.send", { ...WAIT, key: "ctrl-c" }));
    expect(report).toMatchObject({ exitCode: 130, running: false });
    expect((await run("echo $KEPT")).output).toBe("yes\n");
  });

  test(`${name}: kill ends all that runs in a terminal and starts its shell anew in the same directory`, async () => {
    const { run, call, shell } = callsOf((await open()).sandbox);
    const deaf = "sh -c 'trap \"\" INT TERM; echo $$ > deaf; sleep 100'";
    await run(`mkdir -p here && cd here; sleep 100 & echo $! > job; ${deaf}`, { timeoutMs: 100 });
    await shell("while [ ! -s here/deaf ]; do sleep 0.05; done");
    expect(await call("terminal.kill", { terminal: "main", capBytes: 1000 })).toMatchObject({ running: false });
    // The dead can still be seen until the first process of the sandbox takes note of their end.
    const look = () => shell("kill -0 $(cat here/job) || kill -0 $(cat here/deaf) || echo dead");
    await expect.poll(look).toBe("dead\n");
    expect((await run("echo ${PWD##*/}")).output).toBe("here\n");
  });

  test(`${name}: a background job goes on while other commands run`, async () => {
    const { run } = callsOf((await open()).sandbox);
    await run(`(${CUE}; echo made > job.txt) &`);
    expect((await run("cat job.txt 2>/dev/null || echo not yet")).output).toContain("not yet");
    expect((await run("touch go; wait; cat job.txt")).output).toContain("made\n");
  });

  test(`${name}: what a person types shares the shell with commands`, async () => {
    const { run, call } = callsOf((await open()).sandbox);
    await run("true");
    await call("terminal.type", { terminal: "main", data: btoa("FROM=person\r") });
    expect((await run("echo $FROM")).output).toBe("person\n");
  });

  test(`${name}: an unknown terminal and an unknown key are refused`, async () => {
    const { run, call } = callsOf((await open()).sandbox);
    await expect(call("terminal.wait", { ...WAIT, terminal: "none" })).rejects.toMatchObject({
      code: "terminal_unknown",
    });
    await run("true");
    await expect(call("terminal.send", { ...WAIT, key: "hyper-x" })).rejects.toMatchObject({ code: "tool_arguments" });
  });
}
