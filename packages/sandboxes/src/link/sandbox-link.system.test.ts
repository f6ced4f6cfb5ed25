import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import { sandboxContract } from "@handrail/core/testing/sandbox-contract";
import { runProgram } from "../run-program.ts";
import { unpack } from "../testing/unpack.ts";
import { listenForSandbox } from "./listen-for-sandbox.ts";
import { openLink, type LinkOptions } from "./sandbox-link.ts";

const SANDBOXD = join(import.meta.dirname, "../../../sandboxd/dist/sandboxd");
const ends: (() => Promise<void>)[] = [];

const endAll = async () => {
  for (const end of ends.splice(0).toReversed()) await end();
};
afterEach(endAll);
afterAll(endAll);

sandboxContract("sandboxd on this host", async () => {
  const directory = await mkdtemp(join(tmpdir(), "hr-link-"));
  ends.push(async () => {
    await runProgram("chmod", ["-R", "u+rwX", "--", directory]);
    await rm(directory, { recursive: true, force: true });
  });
  const listener = await listenForSandbox(join(directory, "link"));
  ends.push(() => listener.close());
  const dial = ["--dial", `unix:${listener.path}`];
  const paths = ["--workspace", join(directory, "workspace"), "--state", join(directory, "state")];
  const program = spawn(SANDBOXD, ["serve", ...paths, ...dial], { stdio: "inherit" });
  ends.push(() => stop(program));
  const options: LinkOptions = {
    sandboxId: "x_test",
    backend: "none",
    connect: listener.connect,
    onEgress: (stream) => stream.destroy(),
  };
  let sandbox = await openLink(options);
  ends.push(async () => sandbox.close());
  const restartLink = async () => {
    sandbox.close();
    sandbox = await openLink(options);
    return sandbox;
  };
  return { sandbox, restartLink, unpack };
});

async function stop(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null) return;
  program.kill("SIGTERM");
  await once(program, "exit");
}
