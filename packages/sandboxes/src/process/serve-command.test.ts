import { expect, test } from "vitest";
import { serveCommand } from "./serve-command.ts";

test("a sandbox whose workspace has no bound leaves 512 MiB of what it shares to others", () => {
  const serving = { sandboxId: "x", socket: "s.sock", network: false };
  const bounded = serveCommand({ ...serving, bounded: true });
  expect(bounded).not.toContain("--keep-free");
  const shares = serveCommand({ ...serving, bounded: false });
  expect(shares.join(" ")).toContain(" --keep-free 536870912 ");
  expect(shares.length).toBe(bounded.length + 2);
});
