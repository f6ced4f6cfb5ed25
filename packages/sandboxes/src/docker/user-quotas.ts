import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import { QuotaAnswer } from "@handrail/protocol/sandboxd/quota-answer";
import { someUsers } from "../sandbox-user.ts";
import { askedAgain } from "./asked-again.ts";
import { SEEN } from "./container-spec.ts";
import { type DaemonOwners, daemonOwners } from "./daemon-owners.ts";
import { DockerError } from "./docker-error.ts";
import { LABEL } from "../labels/made-names.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import { type InsideParts, insideOf, saidInside } from "./runtime-kernel.ts";

type Parts = InsideParts & { readonly facts: () => Promise<DaemonInfo> };

/**
 * What the daemon's machine lets the user of each sandbox store, workspace and home together: at least so much. Or there is
 * no such bound; `why`: what is missing of it, empty where there are no quotas at all.
 */
export type UserQuotas =
  | { readonly bounded: true; readonly bytes: number; readonly files: number }
  | { readonly bounded: false; readonly why: string };

const ASKED_USERS = 64;
/** Whoever administers that machine may change them at any time. */
const AGAIN_MS = 60_000;
const NONE: UserQuotas = { bounded: false, why: "" };

/**
 * Asks the kernel of the daemon's machine, through a container of our own on a volume that is made for it: what each of some
 * users may store, whom sandboxes can have. Nothing is written to find out.
 */
export function userQuotas(parts: Parts): () => Promise<UserQuotas> {
  const owners = daemonOwners({ ...parts, inside: () => insideOf(parts) });
  const find = async (): Promise<UserQuotas> => {
    const users = someUsers((await parts.facts()).userNamespaces, ASKED_USERS);
    try {
      return await readQuotas(await ask(parts, users), users, owners);
    } catch (thrown) {
      if (thrown instanceof DockerError) return NONE;
      if (thrown instanceof AppError && thrown.code === "sandbox_failed")
        return { bounded: false, why: thrown.message };
      throw thrown;
    }
  };
  return askedAgain(AGAIN_MS, find, () => false);
}

async function ask(parts: Parts, users: readonly number[]): Promise<string> {
  const { client, names } = parts;
  const volume = names.probe(newId("x", Date.now()));
  const inside = await insideOf(parts);
  await client.createVolume(volume, { [LABEL.installation]: names.installation, ...names.madeHere() });
  try {
    const argv = ["sandboxd", "quotas", "--directory", SEEN, ...users.flatMap((user) => ["--user", String(user)])];
    return await saidInside(inside, argv, { owned: volume });
  } finally {
    await client.removeVolume(volume).catch(() => undefined);
  }
}

/** `said` is what the container said. A bound is one on bytes and on files, for every user. @throws AppError, DockerError */
export async function readQuotas(said: string, users: readonly number[], owners: DaemonOwners): Promise<UserQuotas> {
  const answer = readAnswer(said);
  if (answer === undefined || !answer.enforced || answer.limits.length !== users.length) return NONE;
  const { limits } = answer;
  const lacking = limits.find(({ bytes, files }) => bytes === 0 || files === 0);
  if (lacking === undefined) {
    const least = (of: "bytes" | "files") => Math.min(...limits.map((limit) => limit[of]));
    return { bounded: true, bytes: least("bytes"), files: least("files") };
  }
  const { uid } = await owners(lacking.user);
  const what = lacking.bytes === 0 ? "bytes" : "files";
  return { bounded: false, why: `Quotas are on where it keeps volumes, but the user ${uid} has no limit on ${what}.` };
}

function readAnswer(said: string): QuotaAnswer | undefined {
  try {
    return QuotaAnswer.safeParse(JSON.parse(said)).data;
  } catch {
    return undefined;
  }
}
