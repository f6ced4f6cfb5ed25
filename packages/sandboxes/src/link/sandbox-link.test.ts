import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { frameOf, WELCOME } from "../testing/sandboxd-frames.ts";
import { openLink } from "./sandbox-link.ts";

/** The server's end of a connection to a sandbox that welcomes whoever comes, and knows of a call `a` that runs. */
function welcoming(): Duplex {
  const [near, far] = duplexPair();
  far.write(frameOf(WELCOME));
  far.on("data", (bytes: Buffer) => {
    if (bytes.includes('"status"')) far.write(frameOf({ type: "status", id: "a", state: "running" }));
  });
  return near;
}

test("a connection that was long in the making is taken when it is there at last", async () => {
  const made: Duplex[] = [];
  const connect = async (signal: AbortSignal) => {
    // As of a daemon that is slow: the first is there at once, and each other takes longer than it is waited for.
    if (made.length > 0) await once(signal, "abort");
    const stream = welcoming();
    made.push(stream);
    return stream;
  };
  const wish = { sandboxId: "x", backend: "docker", connect, onEgress: () => undefined, giveUpMs: 3_000 } as const;
  const link = await openLink(wish);
  onTestFinished(() => link.close());
  made[0]?.destroy();
  expect(await link.status("a")).toBe("running");
  expect(made.map(({ destroyed }) => destroyed)).toEqual([true, false]);
});
