import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { listenerSharesMounts } from "./listener-mounts.ts";

test("who listens on a socket is found, and has the mounts of this process if it is this process", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hr-listener-"));
  const server = createServer();
  onTestFinished(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  const path = join(directory, "socket");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  expect(await listenerSharesMounts(path)).toBe(true);
});

test("where nobody listens, nothing is shared", async () => {
  expect(await listenerSharesMounts("/nonexistent/socket")).toBe(false);
});
