import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { sandboxContainer } from "./container-spec.ts";
import type { DaemonInfo } from "./docker-shapes.ts";

type Given = Partial<Parameters<typeof sandboxContainer>[0]>;

function hostConfig(given: Given): Readonly<Record<string, unknown>> {
  const storage = { type: "volume", workspace: "w", state: "s" } as const;
  const texts = { imageId: "i", runtime: undefined, seccomp: "{}", labels: {}, token: "t", programs: "p" };
  const usual = {
    daemon: { product: "Docker", missingLimits: [] },
    profile: "default",
    uid: 5000,
    containers: false,
  } as const;
  return sandboxContainer({ ...texts, ...usual, limits: DEFAULT_LIMITS, hostsFile: undefined, storage, ...given })
    .HostConfig;
}

/** Names of the limits that the kernel keeps by itself, of a sandbox with this user on such a daemon. */
function ulimits(product: DaemonInfo["product"], missingLimits: readonly string[], uid: number): readonly string[] {
  const { Ulimits } = hostConfig({ daemon: { product, missingLimits }, profile: uid === 0 ? "dev" : "default", uid });
  return (Ulimits as readonly { readonly Name: string }[]).map(({ Name }) => Name);
}

test("only root of a kernel of its own has all capabilities", () => {
  const added = (given: Given) => hostConfig(given)["CapAdd"];
  expect(added({ containers: true })).toEqual([]);
  expect(added({ profile: "dev", uid: 0 })).toEqual(["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"]);
  expect(added({ profile: "dev", uid: 0, containers: true, runtime: "runsc" })).toEqual(["ALL"]);
});

test("where the daemon cannot limit processes, the sandbox's user is limited, save the daemon's own", () => {
  expect(ulimits("Docker", [], 5000)).toEqual(["nofile", "fsize", "core"]);
  expect(ulimits("Docker", ["memory", "processes"], 5000)).toEqual(["nofile", "fsize", "core", "nproc"]);
  expect(ulimits("Docker", ["memory", "processes"], 0)).toEqual(["nofile", "fsize", "core"]);
  expect(ulimits("Podman", [], 0)).toEqual(["nofile", "fsize", "core", "nproc"]);
});
