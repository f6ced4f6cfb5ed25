import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { OwnDaemon } from "../testing/own-daemon.ts";
import { canStartDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { freePort } from "../testing/free-port.ts";
import { forgetInDocker } from "../testing/forget-installation.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { tlsFiles } from "../testing/tls-files.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import type { DockerAddress } from "./docker-endpoint.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { dockerHealth } from "./docker-health.ts";

const DETAIL = expect.stringMatching(/^Docker \d+\.\S+, /) as string;

/** What doctor would say of a daemon at this address. */
async function healthAt(address: DockerAddress) {
  const client = dockerClient(dockerEndpoint(address));
  onTestFinished(() => client.close());
  const bounds = async () => ({ type: "none", why: "" }) as const;
  return dockerHealth({ client, bounds }, AbortSignal.timeout(60_000));
}

describe.skipIf(!canStartDaemon())("a daemon behind TLS", () => {
  let daemon: OwnDaemon | undefined;
  let files = "";
  let host = "";
  beforeAll(async () => {
    files = await tlsFiles();
    host = `tcp://127.0.0.1:${await freePort()}`;
    const own = ["--tlscacert", `${files}/ca.pem`, "--tlscert", `${files}/server-cert.pem`];
    daemon = await startOwnDaemon(["--tlsverify", "--tlskey", `${files}/server-key.pem`, ...own, "--host", host]);
  });
  afterAll(async () => {
    await daemon?.dispose();
    await rm(files, { recursive: true, force: true });
  });

  test("it is reached with the right certificates", async () => {
    expect(await healthAt({ host, tls: true, certificates: `${files}/good` })).toMatchObject({
      works: true,
      detail: DETAIL,
    });
  });

  test("what is wrong with TLS is told apart", async () => {
    const remedies = [
      await healthAt({ host }),
      await healthAt({ host, tls: true, certificates: `${files}/strange` }),
      await healthAt({ host, tls: true, certificates: `${files}/anonymous` }),
      await healthAt({ host, tls: true, certificates: `${files}/none` }),
    ].map(({ works, remedy }) => [works, remedy]);
    expect(remedies).toEqual([
      [false, "Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH."],
      [false, expect.stringMatching(/not signed by .*\/strange\/ca\.pem/)],
      [false, expect.stringMatching(/does not accept this server's certificate/)],
      [false, expect.stringMatching(/\/none\/ca\.pem is not there/)],
    ]);
  });
});

const SSHD = "/usr/sbin/sshd";
const canSsh = process.getuid?.() === 0 && existsSync(SSHD) && existsSync("/usr/bin/ssh");

describe.skipIf(!canSsh || !(await daemonAnswers()))("a daemon on another machine, by ssh", () => {
  const path = process.env["PATH"];
  let directory = "";
  let host = "";
  let stop = () => {};
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "handrail-ssh-"));
    const port = await freePort();
    await sshFiles(directory, port);
    // The system's ssh with a configuration of the test's own, as a user's would be in ~/.ssh.
    process.env["PATH"] = `${directory}/bin:${path}`;
    const server = spawn(SSHD, ["-D", "-e", "-f", `${directory}/sshd_config`], { stdio: ["ignore", "ignore", "pipe"] });
    stop = () => server.kill();
    await once(server.stderr, "data");
    host = `ssh://${userInfo().username}@127.0.0.1:${port}`;
  });
  afterAll(async () => {
    process.env["PATH"] = path;
    stop();
    await rm(directory, { recursive: true, force: true });
  });

  test("it is reached", async () => {
    expect(await healthAt({ host })).toMatchObject({ works: true, detail: DETAIL });
  });

  test("a sandbox of it works, and its connections can be used again and again", async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on("warning", onWarning);
    onTestFinished(() => void process.removeListener("warning", onWarning));
    const installation = `t${newId("x", Date.now()).slice(-8)}`;
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined };
    const backend = dockerBackend({ ...common, host, installation });
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
      await forgetInDocker(installation);
    });
    const choice = { backend: "docker", network: { type: "none" } } as const;
    const spec = { conversationId: newId("c", Date.now()), choice, seedDirectory: undefined };
    const sandbox = await backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
    const args = { argv: ["sh", "-c", "echo works"], timeoutMs: 60_000, capBytes: 100 };
    const ended = await sandbox.call("process.run", args, { signal: AbortSignal.timeout(60_000) });
    expect(ended).toMatchObject({ stdout: "works\n", exitCode: 0 });
    expect(warnings).toEqual([]);
  });

  test("what ssh says is said", async () => {
    await rm(`${directory}/authorized_keys`);
    onTestFinished(() => writeFile(`${directory}/authorized_keys`, ""));
    expect(await healthAt({ host })).toEqual({
      name: "docker",
      works: false,
      detail: expect.stringMatching(/ssh to .*@127\.0\.0\.1 failed: .*Permission denied/),
      remedy: "Give this user a key that works without a question, in ssh's agent or its configuration.",
      profiles: [],
    });
  });
});

/** Keys, a server's configuration, and a `bin/ssh` that uses them. */
async function sshFiles(directory: string, port: number): Promise<void> {
  const script = `
    set -e
    mkdir -p bin /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f host
    ssh-keygen -q -t ed25519 -N '' -f user
    cp user.pub authorized_keys
    printf '[127.0.0.1]:${port} %s\\n' "$(cat host.pub)" > known_hosts`;
  const [code] = (await once(spawn("sh", ["-c", script], { cwd: directory, stdio: "ignore" }), "close")) as [number];
  if (code !== 0) throw new Error("The keys for ssh could not be made.");
  const server = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${directory}/host`,
    `AuthorizedKeysFile ${directory}/authorized_keys`,
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
  ];
  await writeFile(join(directory, "sshd_config"), `${server.join("\n")}\n`);
  const client = [
    `IdentityFile ${directory}/user`,
    "IdentitiesOnly yes",
    `UserKnownHostsFile ${directory}/known_hosts`,
  ];
  await writeFile(join(directory, "ssh_config"), `${client.join("\n")}\n`);
  await writeFile(join(directory, "bin/ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${directory}/ssh_config "$@"\n`);
  await chmod(join(directory, "bin/ssh"), 0o755);
}
