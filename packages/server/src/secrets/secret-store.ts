import { AppError } from "@handrail/protocol/errors";
import { type SecretInfo, type SecretInput, SecretInfo as SecretInfoShape } from "@handrail/protocol/secrets";
import { z } from "zod";
import type { JsonFile } from "../settings/json-file.ts";
import type { Secrets } from "../settings/secrets.ts";

const StoredSecret = SecretInfoShape.extend({ ownerId: z.string(), sealed: z.string() });

/** What `secrets.json` holds: what lists show, with each value sealed. */
export const StoredSecrets = z.object({ secrets: z.array(StoredSecret) });
export type StoredSecrets = z.infer<typeof StoredSecrets>;

/** A secret with its value, for the broker and the masker. */
export type OpenSecret = SecretInfo & { readonly value: string };

/** The secrets of all owners. Values leave it towards the broker and the sandbox only. */
export type SecretStore = {
  list(ownerId: string): Promise<readonly SecretInfo[]>;
  /** Those that conversations of the owner on this repository have; undefined: on none. @throws AppError `secret_unreadable` */
  for(ownerId: string, repository: string | undefined): Promise<readonly OpenSecret[]>;
  /** @throws AppError `bad_request` when a new one has no value, or there are too many */
  save(ownerId: string, name: string, input: SecretInput): Promise<SecretInfo>;
  /** No error when there is none. */
  remove(ownerId: string, name: string): Promise<void>;
  /** Notes that secrets were used. */
  used(ownerId: string, names: readonly string[]): Promise<void>;
};

export type SecretStoreParts = {
  readonly file: JsonFile<StoredSecrets>;
  readonly secrets: Secrets;
  readonly now: () => number;
  /** Called with each value that the store comes to know. */
  readonly known: (name: string, value: string) => void;
};

const MAX_SECRETS = 256;
/** A use is written down at most this often. */
const USED_EVERY_MS = 60_000;

export function secretStore({ file, secrets, now, known }: SecretStoreParts): SecretStore {
  const { read, update } = storedList(file);
  /** By the sealed form, so that none is opened twice. */
  const opened = new Map<string, string>();
  const open = (stored: Stored): OpenSecret => {
    const value = opened.get(stored.sealed) ?? secrets.unseal(recordOf(stored), stored.sealed);
    opened.set(stored.sealed, value);
    known(stored.name, value);
    return { ...infoOf(stored), value };
  };

  return {
    list: async (ownerId) => (await read()).filter(ownedBy(ownerId)).map(infoOf),
    async for(ownerId, repository) {
      const own = (await read()).filter(ownedBy(ownerId));
      return own.filter(({ scope }) => scope.type === "owner" || sameRepository(scope.url, repository)).map(open);
    },
    async save(ownerId, name, { value, ...setting }) {
      if (value !== undefined) known(name, value);
      const at = now();
      const sealed = value === undefined ? undefined : secrets.seal(recordOf({ ownerId, name }), value);
      await update((all) => {
        const old = all.find(isThis(ownerId, name));
        const kept = sealed ?? old?.sealed;
        if (kept === undefined) throw new AppError("bad_request", "A new secret needs a value.", { field: "value" });
        if (old === undefined && all.filter(ownedBy(ownerId)).length >= MAX_SECRETS) throw tooMany();
        const times = { createdAt: old?.createdAt ?? at, changedAt: at, lastUsedAt: old?.lastUsedAt ?? null };
        const saved: Stored = { ...setting, ...times, name, ownerId, sealed: kept };
        return [...all.filter((one) => one !== old), saved].toSorted((a, b) => a.name.localeCompare(b.name, "en"));
      });
      const saved = (await read()).find(isThis(ownerId, name));
      if (saved === undefined) throw new AppError("internal", "The secret was removed meanwhile.");
      return infoOf(saved);
    },
    remove: (ownerId, name) =>
      update((all) => (all.some(isThis(ownerId, name)) ? all.filter((one) => !isThis(ownerId, name)(one)) : all)),
    used(ownerId, names) {
      const at = now();
      const stale = (one: Stored) =>
        one.ownerId === ownerId && names.includes(one.name) && at - (one.lastUsedAt ?? 0) >= USED_EVERY_MS;
      return update((all) =>
        all.some(stale) ? all.map((one) => (stale(one) ? { ...one, lastUsedAt: at } : one)) : all,
      );
    },
  };
}

type Change = (all: readonly Stored[]) => readonly Stored[];

/** The file's list, read once. Changes come one after the other; one that gives the same list writes nothing. */
function storedList(file: JsonFile<StoredSecrets>) {
  let turn: Promise<unknown> = Promise.resolve();
  let cached: Promise<readonly Stored[]> | undefined;
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

type Stored = StoredSecrets["secrets"][number];

const recordOf = ({ ownerId, name }: Pick<Stored, "ownerId" | "name">) => `secret ${ownerId} ${name}`;
const ownedBy = (ownerId: string) => (stored: Stored) => stored.ownerId === ownerId;
const isThis = (ownerId: string, name: string) => (stored: Stored) =>
  stored.ownerId === ownerId && stored.name === name;

function infoOf({ sealed: _sealed, ownerId: _ownerId, ...info }: Stored): SecretInfo {
  return info;
}

/** `.git` and a slash at the end make no other repository. */
function sameRepository(url: string, other: string | undefined): boolean {
  const plain = (text: string) => text.replace(/\/+$/, "").replace(/\.git$/, "");
  return other !== undefined && plain(url) === plain(other);
}

const tooMany = () => new AppError("bad_request", `There are ${MAX_SECRETS} secrets already. Remove some first.`);
