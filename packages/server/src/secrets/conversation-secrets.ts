import { createHmac } from "node:crypto";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { hostMaskerOf, maskerOf } from "@handrail/core/secrets/masker-of";
import type { SecretMasker } from "@handrail/core/secrets/secret-masker";
import { AppError } from "@handrail/protocol/errors";
import type { SecretUse } from "@handrail/protocol/secrets";
import type { OpenSecret } from "./sealed-values.ts";
import type { MaskedValue, SecretHolder, SecretStore } from "./secret-store.ts";

/** A secret as the broker takes it. */
export type HeldSecret = {
  readonly name: string;
  readonly value: string;
  readonly use: SecretUse;
  readonly placeholder: string | undefined;
};

export type ConversationSecretsParts<Authority> = {
  readonly store: SecretStore;
  /** Undefined for a sandbox that waits for its conversation: it has no secrets. */
  readonly conversation: (id: string) => Promise<SecretHolder | undefined>;
  readonly newAuthority: () => Authority;
  /** Random bytes that stay the same as long as sandboxes may live. */
  readonly placeholderKey: Buffer;
};

/** What each conversation has of the secrets of its owner and its team. */
export type ConversationSecrets<Authority> = {
  /** What the broker opens TLS of the conversation's sandbox with. */
  readonly openWith: (
    conversationId: string,
  ) => Promise<{ readonly authority: Authority; readonly secrets: readonly HeldSecret[] }>;
  /** Masks all that the conversation's sandbox could tell, those included that it had earlier. */
  maskerFor(conversationId: string): Promise<SecretMasker>;
  /** Gives the sandbox its authority's certificate, placeholders and files, unless it has them as they are now. Files are used by that. */
  equip(conversationId: string, sandbox: Sandbox, signal: AbortSignal): Promise<void>;
  /** The text with all secrets masked that the conversation is known to have had. */
  text(conversationId: string, text: string): string;
  /** The same for the name of a host, in which capitals are lost. */
  host(conversationId: string, host: string): string;
  used(conversationId: string, names: readonly string[]): Promise<void>;
  forget(conversationId: string): void;
};

type Known = {
  readonly values: ReadonlyMap<string, string>;
  readonly masker: SecretMasker;
  readonly hosts: (host: string) => string;
};

export function conversationSecrets<Authority extends { readonly certificate: string }>(
  parts: ConversationSecretsParts<Authority>,
): ConversationSecrets<Authority> {
  const { store, placeholderKey } = parts;
  const authorities = new Map<string, Authority>();
  const known = new Map<string, Known>();
  const equipOnce = oncePerState<Sandbox>();
  const secretsOf = async (id: string) => {
    const holder = await parts.conversation(id);
    return holder === undefined ? [] : store.for(holder);
  };
  const noteKnown = async (id: string, secrets: readonly OpenSecret[]) => {
    const holder = await parts.conversation(id);
    return knownOf(known, id, [...(holder === undefined ? [] : await store.had(holder)), ...secrets.flatMap(valuesOf)]);
  };
  const authorityOf = (id: string) => {
    const authority = authorities.get(id) ?? parts.newAuthority();
    authorities.set(id, authority);
    return authority;
  };
  const placeholder = (id: string, secret: OpenSecret) => placeholderOf(placeholderKey, id, secret);

  return {
    async openWith(id) {
      const secrets = await secretsOf(id);
      await noteKnown(id, secrets);
      return { authority: authorityOf(id), secrets: secrets.map((one) => heldOf(one, placeholder(id, one))) };
    },
    maskerFor: async (id) => (await noteKnown(id, await secretsOf(id))).masker,
    async equip(id, sandbox, signal) {
      const holder = await parts.conversation(id);
      if (holder === undefined) return;
      const secrets = await secretsOf(id);
      await equipOnce(sandbox, changesOf(secrets), async () => {
        const given = { authority: authorityOf(id).certificate, ...equipment(secrets, (one) => placeholder(id, one)) };
        const put = sandbox.call("sandbox.equip", given, { signal });
        await put.then(() => noteFiles(store, holder, given.files), unlessOlder);
      });
    },
    text: (id, text) => known.get(id)?.masker.text(text) ?? text,
    host: (id, host) => known.get(id)?.hosts(host) ?? host,
    async used(id, names) {
      const holder = names.length === 0 ? undefined : await parts.conversation(id);
      if (holder !== undefined) await store.used(holder, names);
    },
    forget(id) {
      authorities.delete(id);
      known.delete(id);
    },
  };
}

/** Where it cannot be noted that they are used, the sandbox is still to be worked with. */
async function noteFiles(
  store: SecretStore,
  holder: SecretHolder,
  files: readonly { readonly name: string }[],
): Promise<void> {
  if (files.length === 0) return;
  const names = files.map(({ name }) => name);
  await store.used(holder, names).catch(() => undefined);
}

/** A sandbox that an earlier release started goes on without. */
function unlessOlder(thrown: unknown): void {
  if (!(thrown instanceof AppError) || thrown.code !== "tool_unknown") throw thrown;
}

const changesOf = (secrets: readonly OpenSecret[]) =>
  JSON.stringify(secrets.map(({ name, scope, changedAt }) => [name, scope, changedAt]));

/** Does work for a thing once in each state, one after the other. What failed is done again when it is asked for. */
function oncePerState<Thing extends WeakKey>() {
  const latest = new WeakMap<Thing, { readonly state: string; readonly done: Promise<void> }>();
  return (thing: Thing, state: string, work: () => Promise<void>): Promise<void> => {
    const before = latest.get(thing);
    if (before?.state === state) return before.done;
    const done = (before?.done ?? Promise.resolve()).catch(() => undefined).then(work);
    latest.set(thing, { state, done });
    done.catch(() => latest.delete(thing));
    return done;
  };
}

/** Says nothing about the value, and is another one in each sandbox. */
function placeholderOf(key: Buffer, id: string, { name, environment, use }: OpenSecret): string | undefined {
  if (environment === undefined || use.type === "file") return undefined;
  const random = createHmac("sha256", key).update(`${id} ${name}`).digest("hex").slice(0, 24);
  return `handrail-secret-${name}-${random}`;
}

/** What of the secrets is given inside. A variable is that of the first secret which names it. */
function equipment(secrets: readonly OpenSecret[], placeholder: (secret: OpenSecret) => string | undefined) {
  const named = new Set<string>();
  const given = secrets.map((one): OpenSecret => {
    const { environment, ...rest } = one;
    if (environment === undefined || named.has(environment)) return rest;
    named.add(environment);
    return one;
  });
  const variables = given.flatMap((one) => {
    const text = placeholder(one);
    return one.environment === undefined || text === undefined ? [] : [[one.environment, text] as const];
  });
  const files = given.filter((one) => one.use.type === "file").map(fileOf);
  return { files, environment: Object.fromEntries(variables) };
}

const fileOf = ({ name, value, environment }: OpenSecret) => ({
  name,
  data: Buffer.from(value).toString("base64"),
  ...(environment === undefined ? {} : { environment }),
});

const heldOf = ({ name, value, use }: OpenSecret, placeholder: string | undefined): HeldSecret => ({
  name,
  value,
  use,
  placeholder,
});

const valuesOf = ({ name, value, earlier = [] }: OpenSecret): MaskedValue[] =>
  [value, ...earlier].map((one) => ({ name, value: one }));

/** Made anew only when a value comes to be known. */
function knownOf(known: Map<string, Known>, id: string, all: readonly MaskedValue[]): Known {
  const before = known.get(id) ?? NOTHING;
  if (all.every(({ value }) => before.values.has(value))) return before;
  const values = new Map([...before.values, ...all.map(({ name, value }) => [value, name] as const)]);
  const named = Array.from(values, ([value, name]) => ({ name, value }));
  const made = { values, masker: maskerOf(named), hosts: hostMaskerOf(named) };
  known.set(id, made);
  return made;
}

const NOTHING: Known = { values: new Map(), masker: maskerOf([]), hosts: (host) => host };
