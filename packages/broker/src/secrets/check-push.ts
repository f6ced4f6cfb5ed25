import type { IncomingMessage } from "node:http";
import type { PushRule } from "@handrail/protocol/secrets";
import type { Refusal } from "../refusal.ts";
import { refusedUpdate } from "./git-request.ts";
import { type ParsedPush, type PushCommands, pushReader, pushRejection } from "./receive-pack.ts";

/** `head`: what was read of the body, to be sent first. `answer`: what git is told instead, where it can be told. */
export type CheckedPush =
  | { readonly head: Buffer }
  | { readonly refusal: Refusal; readonly answer: Buffer | undefined };

const MAX_COMMAND_BYTES = 1024 * 1024;
/** Of a ref in the sentence, which git is told again for each ref. */
const MAX_SHOWN = 200;

/** Reads the list of refs at the head of a push and checks each; the pack behind it is left in the request. */
export async function checkPush(request: IncomingMessage, rules: readonly PushRule[]): Promise<CheckedPush> {
  if (request.headers["content-encoding"] !== undefined) return unreadable();
  const read = pushReader();
  const pieces: Buffer[] = [];
  let length = 0;
  let parsed: ParsedPush = "more";
  while (parsed === "more" && length <= MAX_COMMAND_BYTES) {
    const piece = await nextChunk(request);
    if (piece === undefined) return unreadable();
    pieces.push(piece);
    length += piece.length;
    parsed = read(piece);
  }
  return typeof parsed === "string" ? unreadable() : judged(parsed, rules, Buffer.concat(pieces));
}

function judged(commands: PushCommands, rules: readonly PushRule[], head: Buffer): CheckedPush {
  const refused = refusedUpdate(rules, commands.updates);
  if (refused === undefined) return { head };
  const what = refused.deletes ? "deleted" : "pushed";
  const ref = refused.ref.length > MAX_SHOWN ? `${refused.ref.slice(0, MAX_SHOWN)}…` : refused.ref;
  const message = `No rule allows ${ref} to be ${what}. Choose another branch, or ask the user to allow it.`;
  return { refusal: { code: "push_not_allowed", message }, answer: pushRejection(commands, message) };
}

const unreadable = (): CheckedPush => ({
  refusal: { code: "push_not_allowed", message: "The refs of this push cannot be read. Push without a signature." },
  answer: undefined,
});

/** The next piece of the body; undefined at its end. Nothing is read that is not given. */
async function nextChunk(request: IncomingMessage): Promise<Buffer | undefined> {
  for (;;) {
    const chunk = request.read() as Buffer | null;
    if (chunk !== null) return chunk;
    if (request.readableEnded) return undefined;
    if (request.destroyed) throw new Error("the client broke off");
    await moreOf(request);
  }
}

/** Until there may be something to read, or there never will be. */
function moreOf(request: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const more = () => resolve();
  request.on("readable", more).on("end", more).on("close", more);
  return promise.finally(() => request.off("readable", more).off("end", more).off("close", more));
}
