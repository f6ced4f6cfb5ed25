import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Duplex } from "node:stream";
import { BYTES_CHANNEL, encodeFrame, frameDecoder, SANDBOXD_PROTOCOL } from "@handrail/protocol/sandboxd/frames";
import { FromSandboxd } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { ToSandboxd } from "@handrail/protocol/sandboxd/to-sandboxd";
import { afterEach, expect, test } from "vitest";
import { TAR_END, tarHeader, tarPadding } from "../directory-tar.ts";
import { freePort } from "../testing/free-port.ts";
import { listenForSandbox } from "./listen-for-sandbox.ts";
import { openLink, type LinkOptions } from "./sandbox-link.ts";

const SANDBOXD = join(import.meta.dirname, "../../../sandboxd/dist/sandboxd");
const ends: (() => Promise<unknown>)[] = [];
const { signal } = new AbortController();
const SHA = { argv: ["sha256sum", "all bytes"], timeoutMs: 60_000 };
const RUN = { terminal: "main", timeoutMs: 60_000, capBytes: 10_000 } as const;

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function started(flags: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) {
  const directory = await mkdtemp(join(tmpdir(), "hr-link-"));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  const listener = await listenForSandbox(join(directory, "link"));
  ends.push(() => listener.close());
  const paths = ["--workspace", join(directory, "workspace"), "--state", join(directory, "state")];
  const program = spawn(SANDBOXD, ["serve", ...paths, "--dial", `unix:${listener.path}`, ...flags], {
    stdio: "inherit",
    env,
  });
  const ended = once(program, "exit");
  ends.push(async () => {
    program.kill("SIGTERM");
    await ended;
  });
  const options = { sandboxId: "x_test", backend: "none", connect: listener.connect } as const;
  return { program, ended, directory, options };
}

async function opened(options: Omit<LinkOptions, "onEgress"> & Partial<LinkOptions>) {
  const link = await openLink({ onEgress: (stream) => stream.destroy(), ...options });
  ends.push(async () => link.close());
  return link;
}

/** With the streams of all its connections. */
async function openedOver(options: Omit<LinkOptions, "onEgress">) {
  const streams: Duplex[] = [];
  const connect = async (stop: AbortSignal) => {
    const stream = await options.connect(stop);
    streams.push(stream);
    return stream;
  };
  return { link: await opened({ ...options, connect }), streams };
}

test("a broken connection is made anew, and calls under way get their outcome", async () => {
  const { options, directory } = await started();
  const { link, streams } = await openedOver(options);
  // Nothing more is said before the connection is broken.
  const cue = "until [ -e went-$i ]; do sleep 0.05; done";
  const command = `echo once >> log; for i in 1 2 3 4 5 6 7 8 9; do echo $i; case $i in 3 | 6) ${cue};; esac; done`;
  let output = "";
  const onOutput = (_offset: number, bytes: Uint8Array) => {
    output += Buffer.from(bytes).toString();
    const [said = ""] = /[36](?=\r\n$)/.exec(output) ?? [];
    if (said === "") return;
    streams.at(-1)?.destroy();
    writeFileSync(join(directory, "workspace", `went-${said}`), "");
  };
  const report = await link.call("terminal.run", { ...RUN, command }, { signal, onOutput });
  expect(report.output).toBe("1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  expect(output).toBe(report.output.replaceAll("\n", "\r\n"));
  expect(streams).toHaveLength(3);
  expect(await link.call("terminal.run", { ...RUN, command: "cat log" }, { signal })).toMatchObject({
    output: "once\n",
  });
});

test("bytes of a call arrive as they are, and go with it again over a new connection", async () => {
  const { options } = await started();
  const { link, streams } = await openedOver(options);
  const data = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256));
  const header = tarHeader({ name: "all bytes", type: "file", bytes: data.length, mode: 0o644 });
  const tar = Buffer.concat([header, data, tarPadding(data.length), TAR_END]);

  const first = tar.subarray(0, 60_000);
  expect(await link.call("workspace.fill", { offset: 0, data: first, last: false }, { signal })).toEqual({
    size: 60_000,
  });
  streams.at(-1)?.destroy();
  const rest = tar.subarray(60_000);
  expect(await link.call("workspace.fill", { offset: 60_000, data: rest, last: true }, { signal })).toEqual({
    size: tar.length,
  });
  const shown = await link.call("process.run", { ...SHA, capBytes: 1000 }, { signal });
  expect(shown.stdout).toBe(`${createHash("sha256").update(data).digest("hex")}  all bytes\n`);
  expect(streams).toHaveLength(2);
});

test("bytes are those of the call that comes next, and of no other", async () => {
  const { options } = await started();
  const stream = await options.connect(signal);
  ends.push(async () => stream.destroy());
  const said: FromSandboxd[] = [];
  const decode = frameDecoder();
  stream.on("data", (bytes: Buffer) => {
    for (const { payload } of decode(bytes)) said.push(FromSandboxd.parse(JSON.parse(Buffer.from(payload).toString())));
  });
  const say = (message: ToSandboxd) =>
    stream.write(encodeFrame({ channel: 0, payload: Buffer.from(JSON.stringify(message)) }));
  const fill = { type: "call", operation: "workspace.fill", keep: false } as const;
  const args = { offset: 0, last: true };

  // Before it is greeted, nothing of a peer is kept.
  stream.write(encodeFrame({ channel: BYTES_CHANNEL, payload: Buffer.alloc(1024) }));
  say({ type: "hello", protocol: SANDBOXD_PROTOCOL, token: "" });
  say({ ...fill, id: "k_1", args, bytes: true });
  stream.write(encodeFrame({ channel: BYTES_CHANNEL, payload: Buffer.alloc(1024) }));
  say({ ...fill, id: "k_2", args, bytes: true });
  say({ ...fill, id: "k_3", args, bytes: true });
  await expect.poll(() => said.length).toBe(4);

  const ended = said.flatMap((message) => (message.type === "ended" ? [message] : []));
  expect(Object.fromEntries(ended.map(({ id, outcome }) => [id, outcome.ok]))).toEqual({
    k_1: false,
    k_2: true,
    k_3: false,
  });
});

test("a sandbox that dies rejects its calls and says that it is gone", async () => {
  const { options, program } = await started();
  const link = await opened({ ...options, isAlive: async () => false });
  const call = link.call("terminal.run", { ...RUN, command: "sleep 30" }, { signal });
  program.kill("SIGKILL");
  await Promise.all([link.gone, expect(call).rejects.toMatchObject({ code: "sandbox_gone" })]);
  await expect(link.status("k_1")).rejects.toMatchObject({ code: "sandbox_gone" });
});

test("SIGTERM ends the daemon and what ran in its terminals", async () => {
  const { options, program, ended } = await started();
  const link = await opened(options);
  // It says nothing of its own: that could come in the middle of a line.
  const command = "echo $$; nohup sleep 1000 > /dev/null 2>&1 & echo $!";
  const { output } = await link.call("terminal.run", { ...RUN, command }, { signal });
  const pids = output
    .split("\n")
    .filter((line) => /^\d+$/.test(line))
    .map(Number);
  expect(pids).toHaveLength(2);
  program.kill("SIGTERM");
  await ended;
  await expect.poll(() => Promise.all(pids.map(stateOf))).toEqual(["gone", "gone"]);
});

test("a wrong token is refused, the right one is let in", async () => {
  const directory = await mkdtemp(join(tmpdir(), "hr-token-"));
  ends.push(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "token"), "secret\n");
  const { options } = await started(["--token-file", join(directory, "token")]);
  await expect(opened({ ...options, token: "other" })).rejects.toMatchObject({ code: "forbidden" });
  expect(await (await opened({ ...options, token: "secret" })).status("k_1")).toBe("unknown");
});

test("a peer that speaks no protocol is let go, and the daemon serves the next", async () => {
  const { options } = await started();
  const stream = await options.connect(signal);
  stream.on("error", () => {});
  stream.end(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  await text(stream).catch(() => "");
  expect(await (await opened(options)).status("k_1")).toBe("unknown");
});

test("connections to the proxy port come out of the link whole, both ways, as fast as they are read", async () => {
  const port = await freePort();
  const { options } = await started(["--egress-port", String(port)]);
  await opened({ ...options, onEgress: (stream) => stream.pipe(stream) });
  const sent = Buffer.alloc(5_000_000, "0123456789abcdef");
  const socket = connect({ port, host: "127.0.0.1" });
  let got = 0;
  let right = true;
  socket.on("data", (bytes: Buffer) => {
    right &&= bytes.equals(sent.subarray(got, got + bytes.length));
    got += bytes.length;
    if (got === sent.length) socket.end();
  });
  socket.write(sent);
  await once(socket, "close");
  expect({ got, right }).toEqual({ got: sent.length, right: true });
});

test("a later shell has no terminal of an earlier one", async () => {
  const home = await mkdtemp(join(tmpdir(), "hr-home-"));
  ends.push(() => rm(home, { recursive: true }));
  const { options } = await started([], { ...process.env, HOME: home });
  const link = await opened(options);
  const pidOf = async (terminal: string) =>
    (await link.call("terminal.run", { ...RUN, terminal, command: "echo $$" }, { signal })).output.trim();
  await pidOf("first");
  const pid = await pidOf("second");
  const files = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`)));
  expect(new Set(targets)).toEqual(new Set([expect.stringMatching(/^\/dev\/pts\/\d+$/)]));
});

test("without bash the terminals are those of the POSIX shell", async () => {
  const bin = await mkdtemp(join(tmpdir(), "hr-bin-"));
  ends.push(() => rm(bin, { recursive: true }));
  const { options } = await started([], { HOME: bin, PATH: bin });
  const link = await opened(options);
  expect(link.welcome).toMatchObject({ shell: "/bin/sh", git: false });
  const run = (command: string) => link.call("terminal.run", { ...RUN, command }, { signal });
  expect(await run("cd /tmp; A=1; false")).toMatchObject({ output: "", exitCode: 1, cwd: "/tmp" });
  expect(await run('echo "$? $A"; pwd')).toMatchObject({ output: "1 1\n/tmp\n", exitCode: 0 });
  await expect(link.call("workspace.begin", {}, { signal })).rejects.toMatchObject({ code: "git_missing" });
});

/** A killed process whose parent is gone waits for the first process to take note; it is gone all the same. */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => ") Z");
  return /\) Z/.test(stat) ? "gone" : "alive";
}
