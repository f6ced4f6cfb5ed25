import { expect, test } from "vitest";
import { serveCommand } from "./serve-command.ts";

test("a sandbox with places that nothing bounds leaves 1 GiB of what it shares to others, and is told what it shares", () => {
  const serving = { sandboxId: "x", socket: "s.sock", network: false };
  const bounded = serveCommand({ ...serving, shared: [] });
  expect(bounded).not.toContain("--keep-free");
  const shares = serveCommand({ ...serving, shared: ["/workspace", "/handrail-state"] });
  expect(shares.join(" ")).toContain(" --keep-free 1073741824 --shared /workspace --shared /handrail-state ");
  expect(shares.length).toBe(bounded.length + 6);
});
