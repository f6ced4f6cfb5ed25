import { toAppError } from "@handrail/protocol/errors";
import type { EventOf } from "@handrail/protocol/events";
import type { Sandbox } from "./ports/sandbox.ts";

/** Where repositories keep instructions for agents, best first: the first that is there is used. */
const PLACES = ["AGENTS.md", "CLAUDE.md", ".openhands/microagents/repo.md"];
const CAP_BYTES = 32_000;
const NOT_THERE = new Set(["path_missing", "path_not_file", "path_outside", "path_denied", "file_binary"]);

/** The repository's own instructions as an event, or none. A file over the cap is cut at it. */
export async function loadInstructions(
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<readonly EventOf<"instructions.loaded">[]> {
  const texts = await Promise.all(PLACES.map(async (path) => ({ path, text: await textAt(sandbox, path, signal) })));
  const best = texts.find(({ text }) => text !== undefined && text.trim() !== "");
  return best?.text === undefined ? [] : [{ type: "instructions.loaded", path: best.path, text: best.text }];
}

async function textAt(sandbox: Sandbox, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const args = { path, fromLine: 1, maxLines: 5000, capBytes: CAP_BYTES, within: "workspace" } as const;
    return (await sandbox.call("file.read", args, { signal })).text;
  } catch (thrown) {
    if (NOT_THERE.has(toAppError(thrown).code)) return undefined;
    throw thrown;
  }
}
