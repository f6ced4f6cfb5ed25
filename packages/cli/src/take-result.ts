import { writeFileSync } from "node:fs";
import path from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { Client } from "@handrail/client/create-client";
import { leftOutText } from "@handrail/protocol/left-out-files";
import { countText } from "./amounts.ts";
import { plainText } from "./plain-text.ts";

/** What to do with what a run changed. `output` undefined: a patch named after the conversation. */
export type ResultChoice = { readonly apply: boolean; readonly output: string | undefined; readonly cwd: string };

/**
 * Takes the changes out: as a patch file, or applied to the folder that the workspace was copied from. Gives the
 * sentence that says where they are. A run that did not end well is not applied: its changes become a patch.
 */
export async function takeResult(client: Client, id: string, choice: ResultChoice, done: boolean): Promise<string> {
  try {
    if (choice.apply && done) return await withLeftOut(client, id, await applied(client, id));
    const sentence = await withLeftOut(client, id, await patchFile(client, id, choice));
    return choice.apply ? `Not applied, because the run did not end well. ${sentence}` : sentence;
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "nothing_changed") throw thrown;
    return withLeftOut(client, id, "No file was changed.");
  }
}

/** The sentence, and what files the result lacks. */
async function withLeftOut(client: Client, id: string, sentence: string): Promise<string> {
  const { leftOut } = await client.changes({ params: { id } }).catch(() => ({ leftOut: undefined }));
  return leftOut === undefined ? sentence : `${sentence}\n${plainText(leftOutText(leftOut))}`;
}

async function applied(client: Client, id: string): Promise<string> {
  const answer = await client.deliver({ params: { id }, body: { kind: "apply" } });
  return `Applied to ${answer.ref}: ${countText(answer.files, "file")}.`;
}

async function patchFile(client: Client, id: string, { output, cwd }: ResultChoice): Promise<string> {
  const response = await client.patch({ params: { id } });
  const patch = Buffer.from(await response.arrayBuffer());
  if (patch.length === 0) return "No file was changed.";
  const file = path.resolve(cwd, output ?? `${id}.patch`);
  writeFileSync(file, patch);
  return `The changes are in ${file}. Apply them with: git apply ${path.relative(cwd, file) || file}`;
}
