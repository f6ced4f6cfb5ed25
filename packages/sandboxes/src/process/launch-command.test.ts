import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { launchCommand } from "./launch-command.ts";
import { etcMounts, readOnly } from "../local/sandbox-mounts.ts";

const BUBBLEWRAP = { version: "0.8.0", sizes: true, disablesNamespaces: true };

/** The sources and targets that bubblewrap is told to mount, each time that it is run. */
function mountsOf(words: readonly string[]): string[][] {
  const starts = words.flatMap((word, at) => (word === "bwrap" ? [at] : []));
  return starts.map((start, run) =>
    words.slice(start, starts[run + 1]).flatMap((word, at, all) => {
      const mounted = word === "--ro-bind" || word === "--bind";
      return mounted ? [`${word} ${all[at + 1]} ${all[at + 2]}`] : [];
    }),
  );
}

test("root mounts what lies together once, where the sandbox's user can get to it", () => {
  const workspace = { source: "/state/c_1/workspace", target: "/workspace", write: true, optional: false };
  const command = launchCommand({
    bubblewrap: BUBBLEWRAP,
    system: { binds: [], links: [] },
    own: [...etcMounts("/state/etc", ["passwd", "hosts"]), readOnly("/opt/node", "/opt/inside/node"), workspace],
    limits: DEFAULT_LIMITS,
    environment: {},
    uid: 7,
    seccompFile: undefined,
    bounded: undefined,
    cgroupFiles: [],
    command: ["true"],
  });
  expect(mountsOf(command)).toEqual([
    [
      "--ro-bind /usr /usr",
      "--ro-bind /state/etc /tmp/0",
      "--ro-bind /opt/node /tmp/1",
      "--bind /state/c_1/workspace /tmp/2",
    ],
    [
      "--ro-bind /tmp/0/passwd /etc/passwd",
      "--ro-bind /tmp/0/hosts /etc/hosts",
      "--ro-bind /tmp/1 /opt/inside/node",
      "--bind /tmp/2 /workspace",
    ],
  ]);
});
