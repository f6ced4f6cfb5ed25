import { hash } from "node:crypto";
import { AppError } from "@handrail/protocol/errors";
import type { LiteLlmRouteName } from "@handrail/protocol/litellm-routes";
import { z } from "zod";
import { keyWeakness, RANDOM_KEY } from "../../auth/key-weakness.ts";
import type { KeyRecord, NewKey, Owner } from "../../ports/keys.ts";
import { defined } from "../defined.ts";
import { type AdminContext, type AdminRequest, type AdminHandler, mustBeOwn, numberIn } from "./admin.ts";
import { shownKey } from "./shown.ts";
import { blockOf, expiryOf, fieldsOf, KeyFields, limitsAfter, metadataOf, modelsOf, withBlock } from "./wire.ts";

const HASH = /^[0-9a-f]{64}$/;
/** A key's value that a caller chooses. Wrong keys are not slowed down, so one that can be guessed is refused. */
const KeyText = z
  .string()
  .max(256)
  .regex(/^sk-\S+$/, "must begin with sk-")
  .superRefine((key, context) => {
    const weakness = keyWeakness(key);
    if (weakness !== undefined)
      context.addIssue({ code: "custom", message: `can be guessed: it ${weakness}. ${RANDOM_KEY}` });
  });
const KeyNamed = z.object({ key: z.string().min(1).max(256) });
const LIST_MAX = 500;

/** LiteLLM's routes about keys. Keys that are made by them have no rights over others. */
export const KEY_ROUTES = {
  "POST /key/generate": generate,
  "POST /key/update": update,
  "POST /key/delete": remove,
  "POST /key/regenerate": regenerate,
  "POST /key/block": (context, request) => block(context, request, true),
  "POST /key/unblock": (context, request) => block(context, request, false),
  "GET /key/info": info,
  "GET /key/list": list,
} satisfies Partial<Record<LiteLlmRouteName, AdminHandler>>;

async function generate(context: AdminContext, { body, caller }: AdminRequest): Promise<object> {
  const { key: chosen, ...fields } = fieldsOf(KeyFields.extend({ key: KeyText.nullish() }), body);
  const owner = ownerOf(fields) ?? caller.owner;
  const wanted: NewKey = {
    name: fields.key_alias ?? "unnamed",
    owner,
    limits: limitsAfter({}, fields),
    ...defined({
      teamId: owner.kind === "user" ? (fields.team_id ?? undefined) : undefined,
      models: modelsOf(fields.models),
      expiresAt: expiryOf(fields.duration, context.now()),
      metadata: metadataOf(fields.metadata),
    }),
  };
  const made = await context.books.keys.create(wanted, chosen ?? undefined);
  return { ...(await shownKey(context, made.record)), key: made.key };
}

function ownerOf({ user_id: user, team_id: team }: KeyFields): Owner | undefined {
  if (user) return { kind: "user", id: user };
  return team ? { kind: "team", id: team } : undefined;
}

async function update(context: AdminContext, { body }: AdminRequest): Promise<object> {
  const { key: named, ...fields } = fieldsOf(KeyFields.extend(KeyNamed.shape), body);
  const key = await keyNamed(context, named);
  const changed = await context.books.keys.change(key.id, changeOf(key, fields, context.now()));
  return { key: changed.hash, ...(await shownKey(context, changed)) };
}

/** What is there and undefined is emptied. */
type Change = { readonly [Field in keyof NewKey]?: NewKey[Field] | undefined };

function changeOf(key: KeyRecord, fields: KeyFields, now: number): Change {
  refuseChange(key, fields);
  return {
    ...(fields.key_alias && { name: fields.key_alias }),
    ...(fields.models !== undefined && { models: modelsOf(fields.models) }),
    ...(fields.team_id !== undefined && key.owner.kind === "user" && { teamId: fields.team_id ?? undefined }),
    ...(fields.duration !== undefined && { expiresAt: expiryOf(fields.duration, now) }),
    ...(fields.metadata !== undefined && { metadata: { ...metadataOf(fields.metadata), ...heldOf(key) } }),
    limits: limitsAfter(key.limits, fields),
  };
}

function refuseChange(key: KeyRecord, fields: KeyFields): void {
  if (fields.user_id && fields.user_id !== key.owner.id) {
    throw new AppError("request_unsupported", "A key's owner cannot be changed. Make a new key.", { field: "user_id" });
  }
  if (fields.duration !== undefined && blockOf(key).blocked) {
    throw new AppError("bad_request", "The key is blocked. Unblock it before its time is changed.", {
      field: "duration",
    });
  }
}

function heldOf(key: KeyRecord): Readonly<Record<string, string>> {
  const { blocked, expiresAt } = blockOf(key);
  return blocked ? withBlock({ ...key, metadata: {}, ...defined({ expiresAt }) }, true) : {};
}

async function remove(context: AdminContext, { body }: AdminRequest): Promise<object> {
  const Names = z.array(z.string().min(1).max(256)).max(LIST_MAX).nullish();
  const { keys: named, key_aliases: aliases } = fieldsOf(z.object({ keys: Names, key_aliases: Names }), body);
  const byName = await Promise.all((named ?? []).map((name) => keyNamed(context, name)));
  const all = aliases && aliases.length > 0 ? await context.books.keys.list() : [];
  const byAlias = all.filter((key) => aliases?.includes(key.name) && key.conversationId === undefined);
  const found = [...byName, ...byAlias];
  if (found.length === 0) throw new AppError("key_not_found", "No key has any of these names.");
  for (const key of found) await context.books.keys.revoke(key.id);
  return { deleted_keys: named && named.length > 0 ? named : byAlias.map((key) => key.hash) };
}

async function regenerate(context: AdminContext, request: AdminRequest): Promise<object> {
  const named = fieldsOf(KeyNamed, request.body).key;
  const Fields = z.object({ grace_period: z.string().max(16).nullish(), new_key: z.unknown() });
  const { grace_period: grace, new_key: chosen } = fieldsOf(Fields, request.body);
  if (chosen !== undefined && chosen !== null) {
    const message = "`new_key` is not served. Leave it out: the new key is a random one.";
    throw new AppError("request_unsupported", message, { field: "new_key" });
  }
  const key = await keyNamed(context, named);
  const made = await context.books.keys.rotate(key.id, expiryOf(grace, context.now()));
  return { ...(await shownKey(context, made.record)), key: made.key };
}

/** A blocked key is one that has expired, so that it is so at once on every replica; when it would have is kept with it. */
async function block(context: AdminContext, { body }: AdminRequest, blocked: boolean): Promise<object> {
  const key = await keyNamed(context, fieldsOf(KeyNamed, body).key);
  const held = blockOf(key);
  if (held.blocked !== blocked) {
    const expiresAt = blocked ? context.now() : held.expiresAt;
    await context.books.keys.change(key.id, { expiresAt, metadata: withBlock(key, blocked) });
  }
  const changed = (await context.books.keys.get(key.id)) ?? key;
  return shownKey(context, changed);
}

async function info(context: AdminContext, request: AdminRequest): Promise<object> {
  const named = request.query.get("key");
  const own = request.caller;
  const key = named ? await keyNamed(context, named).catch((thrown: unknown) => hidden(thrown, request)) : own;
  mustBeOwn(key.id === own.id, request);
  return { key: named ?? key.hash, info: await shownKey(context, key) };
}

/** An ordinary key does not learn which keys there are. */
function hidden(thrown: unknown, request: AdminRequest): never {
  mustBeOwn(false, request);
  throw thrown;
}

async function list(context: AdminContext, { query }: AdminRequest): Promise<object> {
  const [page, size] = [
    numberIn(query, "page", { or: 1, max: 1_000_000 }),
    numberIn(query, "size", { or: 10, max: 100 }),
  ];
  const [user, team, alias] = [query.get("user_id"), query.get("team_id"), query.get("key_alias")];
  const all = (await context.books.keys.list()).filter(
    (key) =>
      key.revokedAt === undefined &&
      key.conversationId === undefined &&
      (!user || (key.owner.kind === "user" && key.owner.id === user)) &&
      (!team || teamOf(key) === team) &&
      (!alias || key.name === alias),
  );
  const shown = all.slice((page - 1) * size, page * size);
  const full = query.get("return_full_object") === "true";
  const keys = full ? await Promise.all(shown.map((key) => shownKey(context, key))) : shown.map((key) => key.hash);
  return { keys, total_count: all.length, current_page: page, total_pages: Math.ceil(all.length / size) };
}

/** The team that a key counts for. */
export function teamOf(key: KeyRecord): string | undefined {
  return key.teamId ?? (key.owner.kind === "team" ? key.owner.id : undefined);
}

/** By the key itself, or by its hash. Those of conversations are nobody's to manage. @throws AppError `key_not_found` */
async function keyNamed({ books }: AdminContext, text: string): Promise<KeyRecord> {
  const key = await books.keys.find(HASH.test(text) ? text : hash("sha256", text));
  if (key !== undefined && key.conversationId === undefined) return key;
  throw new AppError("key_not_found", "There is no such key.");
}
