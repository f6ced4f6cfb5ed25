import { sandboxIsolationContract } from "@handrail/core/testing/sandbox-isolation-contract";
import { mayUseFuse } from "@handrail/channels/testing/may-use-fuse";
import { expect, onTestFinished, test } from "vitest";
import { localUnderTest } from "../testing/local-bench.ts";
import { runsAsRoot } from "../testing/runs-as-root.ts";

const asRoot = runsAsRoot("The profile dev of process sandboxes");
const profiles = asRoot ? (["strict", "default", "dev"] as const) : (["strict", "default"] as const);

sandboxIsolationContract("process", profiles, () => localUnderTest("process"));

if (!asRoot) {
  const bounded = mayUseFuse("What a plain user's server says of FUSE");
  test.skipIf(!bounded)("a plain user's server says what it does not hold, and refuses the profile dev", async () => {
    const { open, within, dispose } = await localUnderTest("process");
    onTestFinished(dispose);
    const backend = await open("user");
    onTestFinished(() => backend.close());
    const { detail, ...health } = await backend.health(within(20_000));
    expect(health).toEqual({ name: "process", works: true, profiles: ["strict", "default"] });
    expect(detail.replace(/^bubblewrap \S+, /, "").split("; ")).toEqual([
      "no control groups: memory is limited for each process, not for the sandbox as a whole, and processors are not limited, workspaces bounded by FUSE",
      "no profile dev: it takes a server that runs as root",
    ]);
    const choice = { backend: "process", network: { type: "none" }, profile: "dev" } as const;
    const spec = { conversationId: "c_00000000000000000000", choice, seedDirectory: undefined };
    await expect(backend.start(spec, () => undefined, within(20_000))).rejects.toMatchObject({
      code: "backend_unavailable",
      message:
        "Process sandboxes do not have the profile dev here: it takes a server that runs as root. Use the docker backend, or another profile.",
    });
  });
}
