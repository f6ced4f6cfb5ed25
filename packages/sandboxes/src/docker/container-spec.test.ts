import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { sandboxContainer } from "./container-spec.ts";
import type { DaemonInfo } from "./docker-shapes.ts";

/** Names of the limits that the kernel keeps by itself, of a sandbox with this user on such a daemon. */
function ulimits(product: DaemonInfo["product"], missingLimits: readonly string[], uid: number): readonly string[] {
  const storage = { type: "volume", workspace: "w", state: "s" } as const;
  const texts = { imageId: "i", runtime: undefined, seccomp: "{}", labels: {}, token: "t", programs: "p" };
  const spec = sandboxContainer({
    ...texts,
    daemon: { product, missingLimits },
    profile: uid === 0 ? "dev" : "default",
    uid,
    limits: DEFAULT_LIMITS,
    hostsFile: undefined,
    storage,
  });
  return (spec.HostConfig["Ulimits"] as readonly { readonly Name: string }[]).map(({ Name }) => Name);
}

test("where the daemon cannot limit processes, the sandbox's user is limited, save the daemon's own", () => {
  expect(ulimits("Docker", [], 5000)).toEqual(["nofile", "fsize", "core"]);
  expect(ulimits("Docker", ["memory", "processes"], 5000)).toEqual(["nofile", "fsize", "core", "nproc"]);
  expect(ulimits("Docker", ["memory", "processes"], 0)).toEqual(["nofile", "fsize", "core"]);
  expect(ulimits("Podman", [], 0)).toEqual(["nofile", "fsize", "core", "nproc"]);
});
