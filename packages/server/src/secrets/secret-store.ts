import { AppError } from "@handrail/protocol/errors";
import type { SecretInfo, SecretInput } from "@handrail/protocol/secrets";
import { z } from "zod";
import type { Holder } from "../auth/teams.ts";
import type { JsonFile } from "../settings/json-file.ts";
import { FormerValue, formerWith } from "./former-values.ts";
import {
  infoOf,
  keptOf,
  type OpenSecret,
  sealedValues,
  type SealedValuesParts,
  StoredSecret,
  teamOf,
} from "./sealed-values.ts";

/** What `secrets.json` holds: what lists show, with each value sealed; and values that are only masked, latest first. */
export const StoredSecrets = z.object({ secrets: z.array(StoredSecret), former: z.array(FormerValue).optional() });
export type StoredSecrets = z.infer<typeof StoredSecrets>;

/** Whose conversation it is, and the address of the repository that it works on; undefined: on none. */
export type SecretHolder = Holder & { readonly repository: string | undefined };

/** A value that is masked as this secret's. */
export type MaskedValue = { readonly name: string; readonly value: string };

/** The secrets of all owners and teams. Values leave it towards the broker and the sandbox only. */
export type SecretStore = {
  /** The user's own, then those of these teams. */
  list(ownerId: string, teams: readonly string[]): Promise<readonly SecretInfo[]>;
  /**
   * Those that a conversation has. Of two with one name the owner's own is taken, and the team's is not there. Where several set
   * the same, the first of them wins. @throws AppError `secret_unreadable`
   */
  for(holder: SecretHolder): Promise<readonly OpenSecret[]>;
  /**
   * Values that a conversation may have had and has no more, to be masked in it: of secrets that were removed or are for other
   * conversations now, and of a team's that another of the same name hides.
   */
  had(holder: SecretHolder): Promise<readonly MaskedValue[]>;
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
      const all = (await read()).secrets;
      return [{ ownerId, teamId: null }, ...teams.map((teamId) => ({ ownerId, teamId }))]
        .flatMap((holder) => all.filter(isOf(holder)))
        .map(infoOf);
    },
    for: async (holder) => heldBy((await read()).secrets, holder).map(values.open),
    async had(holder) {
      const stored = await read();
      return hadBy(stored, holder, now()).flatMap((one) => {
        const value = values.valueIn(one);
        return value === undefined ? [] : [{ name: one.name, value }];
      });
    },
    async save(ownerId, name, { value, ...setting }) {
      const at = now();
      const holder = { ownerId, teamId: teamOf(setting) };
      const sealed = value === undefined ? undefined : values.seal({ ...setting, ownerId, name }, value);
      await update((stored) => {
        const old = stored.secrets.find(isThis(holder, name));
        if (old === undefined && stored.secrets.filter(isOf(holder)).length >= MAX_SECRETS) throw tooMany();
        const earlier = values.earlierWith(old, value, at);
        const kept = { sealed: sealed ?? keptValue(old, setting), ...(earlier.length === 0 ? {} : { earlier }) };
        return withSaved(stored, old, { ...setting, ...timesOf(old, at), name, ownerId, ...kept });
      });
      const saved = (await read()).secrets.find(isThis(holder, name));
      if (saved === undefined) throw new AppError("internal", "The secret was removed meanwhile.");
      return infoOf(saved);
    },
    remove: (holder, name) =>
      update((stored) => withoutSecret(stored, stored.secrets.find(isThis(holder, name)), now())),
    used(holder, names) {
      const at = now();
      const isStale = ({ name, lastUsedAt }: StoredSecret) =>
        names.includes(name) && at - (lastUsedAt ?? 0) >= USED_EVERY_MS;
      return update((stored) => {
        const stale = heldBy(stored.secrets, holder).filter(isStale);
        if (stale.length === 0) return stored;
        const note = (one: StoredSecret) => (stale.includes(one) ? { ...one, lastUsedAt: at } : one);
        return { ...stored, secrets: stored.secrets.map(note) };
      });
    },
  };
}

const timesOf = (old: StoredSecret | undefined, at: number) => ({
  createdAt: old?.createdAt ?? at,
  changedAt: at,
  lastUsedAt: old?.lastUsedAt ?? null,
});

function withSaved({ secrets, former }: Stored, old: StoredSecret | undefined, saved: StoredSecret): Stored {
  const others = secrets.filter((one) => one !== old);
  return {
    secrets: [...others, saved].toSorted((a, b) => a.name.localeCompare(b.name, "en")),
    former: old === undefined || isSameScope(old, saved) ? former : formerWith(former, old, saved.changedAt),
  };
}

function withoutSecret(stored: Stored, old: StoredSecret | undefined, at: number): Stored {
  if (old === undefined) return stored;
  return { secrets: stored.secrets.filter((one) => one !== old), former: formerWith(stored.former, old, at) };
}

type Stored = { readonly secrets: readonly StoredSecret[]; readonly former: readonly FormerValue[] };
type Change = (stored: Stored) => Stored;

/** The file's content, read once. Changes come one after the other; one that gives the same writes nothing. */
function storedList(file: JsonFile<StoredSecrets>) {
  let turn: Promise<unknown> = Promise.resolve();
  let cached: Promise<Stored> | undefined;
  const read = () =>
    (cached ??= file.read().then((stored) => ({ secrets: stored?.secrets ?? [], former: stored?.former ?? [] })));
  const apply = async (change: Change) => {
    const before = await read();
    const after = change(before);
    if (after === before) return;
    await file.write({ secrets: [...after.secrets], former: [...after.former] });
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
  (stored: Pick<StoredSecret, "ownerId" | "scope">) =>
    teamOf(stored) === teamId && (teamId !== null || stored.ownerId === ownerId);
const isThis = (holder: Holder, name: string) => (stored: StoredSecret) => isOf(holder)(stored) && stored.name === name;

/** The nearest first; of one scope those for git before others, since they say which requests they are for; then by name. */
function heldBy(all: readonly StoredSecret[], { ownerId, teamId, repository }: SecretHolder): readonly StoredSecret[] {
  const own = all
    .filter(isOf({ ownerId, teamId: null }))
    .filter(({ scope }) => scope.type !== "repository" || sameRepository(scope.url, repository));
  const names = new Set(own.map(({ name }) => name));
  const team = teamId === null ? [] : all.filter(isOf({ ownerId, teamId })).filter(({ name }) => !names.has(name));
  const rank = ({ scope, use }: StoredSecret) => NEARNESS[scope.type] + (use.type === "git" ? 0 : 1);
  return [...own, ...team].toSorted((a, b) => rank(a) - rank(b));
}

const NEARNESS = { repository: 0, owner: 2, team: 4 } as const;

/** Those that are hidden from the conversation or were its own once. */
function hadBy({ secrets, former }: Stored, holder: SecretHolder, now: number) {
  const { ownerId, teamId, repository } = holder;
  const held = heldBy(secrets, holder);
  const team = teamId === null ? [] : secrets.filter(isOf({ ownerId, teamId })).filter((one) => !held.includes(one));
  const past = keptOf({ earlier: former }, now).filter(
    (one) =>
      isOf({ ownerId, teamId: teamOf(one) === null ? null : teamId })(one) &&
      (one.scope.type !== "repository" || sameRepository(one.scope.url, repository)),
  );
  const hidden = team.flatMap((one) => [one, ...keptOf(one, now).map(({ sealed }) => ({ ...one, sealed }))]);
  return [...hidden, ...past];
}

const isSameScope = (one: StoredSecret, other: StoredSecret) =>
  JSON.stringify(one.scope) === JSON.stringify(other.scope);

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
