import { spawn } from "node:child_process";
import { once } from "node:events";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { newLinkToken, sandboxdEnvironment } from "../link-token.ts";
import { boxesOf, findBoxes } from "./find-processes.ts";

/** A program with the arguments of a sandbox. */
async function program(sandboxId: string, environment: Readonly<Record<string, string>>): Promise<number> {
  const code = 'process.stdout.write("up"); setInterval(() => undefined, 1000)';
  const child = spawn(process.execPath, ["-e", code, "--", "--sandbox", sandboxId], { env: environment });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child.pid ?? 0;
}

test("only programs that carry a sandbox's token are taken for its own, whatever their arguments say", async () => {
  const sandboxId = newId("x", Date.now());
  const token = newLinkToken();
  const own = await program(sandboxId, sandboxdEnvironment(token));
  const strangers = [
    await program(sandboxId, {}),
    await program(sandboxId, { HANDRAIL_SANDBOX: sandboxId }),
    await program(sandboxId, sandboxdEnvironment(newLinkToken())),
    await program(sandboxId, { HANDRAIL_LINK_TOKEN: `${token}0` }),
  ];
  const found = findBoxes().filter((box) => box.sandboxId === sandboxId);
  expect(new Set(found.map(({ pid }) => pid))).toEqual(new Set([own, ...strangers]));
  expect(boxesOf(sandboxId, token)).toEqual([own]);
  expect(boxesOf(newId("x", Date.now()), token)).toEqual([]);
  // Without a token, a program in the machine's own process namespace is none of a sandbox.
  expect(boxesOf(sandboxId, undefined)).toEqual([]);
});
