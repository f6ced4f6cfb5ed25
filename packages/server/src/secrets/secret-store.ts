import { AppError } from "@handrail/protocol/errors";
import type { SecretInfo, SecretInput } from "@handrail/protocol/secrets";
import { z } from "zod";
import type { Holder } from "../auth/teams.ts";
import type { JsonFile } from "../settings/json-file.ts";
import {
  infoOf,
  type OpenSecret,
  sealedValues,
  type SealedValuesParts,
  StoredSecret,
  teamOf,
} from "./sealed-values.ts";

/** What `secrets.json` holds: what lists show, with each value sealed. */
export const StoredSecrets = z.object({ secrets: z.array(StoredSecret) });
export type StoredSecrets = z.infer<typeof StoredSecrets>;

/** Whose conversation it is, and the address of the repository that it works on; undefined: on none. */
export type SecretHolder = Holder & { readonly repository: string | undefined };

/** The secrets of all owners and teams. Values leave it towards the broker and the sandbox only. */
export type SecretStore = {
  /** The user's own, then those of these teams. */
  list(ownerId: string, teams: readonly string[]): Promise<readonly SecretInfo[]>;
  /**
   * Those that a conversation has. Of two with one name the owner's own is taken, and the team's is not there. They are in
   * the order in which the owner's own wins where two with different names set the same. @throws AppError `secret_unreadable`
   */
  for(holder: SecretHolder): Promise<readonly OpenSecret[]>;
  /**
   * The scope says whether it is the user's own or a team's.
   * @throws AppError `bad_request` when a new one has no value, when a team's is to be used in another way and has none,
   * or when there are too many
   */
  save(ownerId: string, name: string, input: SecretInput): Promise<SecretInfo>;
  /** The owner's own, or this team's. No error when there is none. */
  remove(holder: Holder, name: string): Promise<void>;
  /** Notes that the conversation used secrets. */
  used(holder: SecretHolder, names: readonly string[]): Promise<void>;
};

export type SecretStoreParts = SealedValuesParts & { readonly file: JsonFile<StoredSecrets> };

const MAX_SECRETS = 256;
/** A use is written down at most this often. */
const USED_EVERY_MS = 60_000;

export function secretStore({ file, secrets, now, known }: SecretStoreParts): SecretStore {
  const { read, update } = storedList(file);
  const values = sealedValues({ secrets, now, known });
  return {
    async list(ownerId, teams) {
      const all = await read();
      return [{ ownerId, teamId: null }, ...teams.map((teamId) => ({ ownerId, teamId }))]
        .flatMap((holder) => all.filter(isOf(holder)))
        .map(infoOf);
    },
    for: async (holder) => heldBy(await read(), holder).map(values.open),
    async save(ownerId, name, { value, ...setting }) {
      const at = now();
      const holder = { ownerId, teamId: teamOf(setting) };
      const sealed = value === undefined ? undefined : values.seal({ ...setting, ownerId, name }, value);
      await update((all) => {
        const old = all.find(isThis(holder, name));
        if (old === undefined && all.filter(isOf(holder)).length >= MAX_SECRETS) throw tooMany();
        const times = { createdAt: old?.createdAt ?? at, changedAt: at, lastUsedAt: old?.lastUsedAt ?? null };
        const earlier = values.earlierWith(old, value, at);
        const kept = { sealed: sealed ?? keptValue(old, setting), ...(earlier.length === 0 ? {} : { earlier }) };
        const saved: StoredSecret = { ...setting, ...times, name, ownerId, ...kept };
        return [...all.filter((one) => one !== old), saved].toSorted((a, b) => a.name.localeCompare(b.name, "en"));
      });
      const saved = (await read()).find(isThis(holder, name));
      if (saved === undefined) throw new AppError("internal", "The secret was removed meanwhile.");
      return infoOf(saved);
    },
    remove: (holder, name) =>
      update((all) => (all.some(isThis(holder, name)) ? all.filter((one) => !isThis(holder, name)(one)) : all)),
    used(holder, names) {
      const at = now();
      return update((all) => {
        const stale = heldBy(all, holder).filter(
          ({ name, lastUsedAt }) => names.includes(name) && at - (lastUsedAt ?? 0) >= USED_EVERY_MS,
        );
        return stale.length === 0 ? all : all.map((one) => (stale.includes(one) ? { ...one, lastUsedAt: at } : one));
      });
    },
  };
}

type Change = (all: readonly StoredSecret[]) => readonly StoredSecret[];

/** The file's list, read once. Changes come one after the other; one that gives the same list writes nothing. */
function storedList(file: JsonFile<StoredSecrets>) {
  let turn: Promise<unknown> = Promise.resolve();
  let cached: Promise<readonly StoredSecret[]> | undefined;
  const read = () => (cached ??= file.read().then((stored) => stored?.secrets ?? []));
  const apply = async (change: Change) => {
    const before = await read();
    const after = change(before);
    if (after === before) return;
    await file.write({ secrets: [...after] });
    cached = Promise.resolve(after);
  };
  const update = (change: Change): Promise<void> => {
    const work = turn.then(() => apply(change));
    turn = work.catch(() => undefined);
    return work;
  };
  return { read, update };
}

/** Those of the team; without one, the owner's own. */
const isOf =
  ({ ownerId, teamId }: Holder) =>
  (stored: StoredSecret) =>
    teamOf(stored) === teamId && (teamId !== null || stored.ownerId === ownerId);
const isThis = (holder: Holder, name: string) => (stored: StoredSecret) => isOf(holder)(stored) && stored.name === name;

/** Of requests of git the first secret is taken, of headers and variables the last: the owner's own is both. */
function heldBy(all: readonly StoredSecret[], { ownerId, teamId, repository }: SecretHolder): readonly StoredSecret[] {
  const own = all
    .filter(isOf({ ownerId, teamId: null }))
    .filter(({ scope }) => scope.type !== "repository" || sameRepository(scope.url, repository));
  if (teamId === null) return own;
  const names = new Set(own.map(({ name }) => name));
  const team = all.filter(isOf({ ownerId, teamId })).filter(({ name }) => !names.has(name));
  const isGit = ({ use }: StoredSecret) => use.type === "git";
  return [...team.filter((one) => !isGit(one)), ...own, ...team.filter(isGit)];
}

/**
 * The sealed value that stays when none is given. Of a team's secret only for the same use: who belongs to the team uses
 * the value without knowing it, and could send it to a host of their own otherwise. @throws AppError `bad_request`
 */
function keptValue(old: StoredSecret | undefined, { scope, use }: Pick<StoredSecret, "scope" | "use">): string {
  if (old === undefined) throw new AppError("bad_request", "A new secret needs a value.", { field: "value" });
  if (scope.type === "team" && JSON.stringify(old.use) !== JSON.stringify(use)) {
    const message = "Give the value too: a team's secret is used in another way only by who knows it.";
    throw new AppError("bad_request", message, { field: "value" });
  }
  return old.sealed;
}

/** `.git` and a slash at the end make no other repository. */
function sameRepository(url: string, other: string | undefined): boolean {
  const plain = (text: string) => text.replace(/\/+$/, "").replace(/\.git$/, "");
  return other !== undefined && plain(url) === plain(other);
}

const tooMany = () => new AppError("bad_request", `There are ${MAX_SECRETS} secrets already. Remove some first.`);
