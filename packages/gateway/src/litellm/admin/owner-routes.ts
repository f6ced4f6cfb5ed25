import { randomUUID } from "node:crypto";
import { AppError } from "@handrail/protocol/errors";
import type { LiteLlmRouteName } from "@handrail/protocol/litellm-routes";
import { z } from "zod";
import type { OwnerKind, OwnerRecord } from "../../ports/keys.ts";
import { defined } from "../defined.ts";
import { type AdminContext, type AdminRequest, type AdminHandler, mustBeOwn } from "./admin.ts";
import { teamOf } from "./key-routes.ts";
import { shownKey, shownOwner } from "./shown.ts";
import { fieldsOf, limitsAfter, modelsOf, OwnerFields } from "./wire.ts";

/** LiteLLM's routes about users and teams. */
export const OWNER_ROUTES = {
  "POST /user/new": newUser,
  "POST /user/update": updateUser,
  "GET /user/info": userInfo,
  "POST /team/new": newTeam,
  "POST /team/update": updateTeam,
  "GET /team/info": teamInfo,
  "GET /team/list": teamList,
} satisfies Partial<Record<LiteLlmRouteName, AdminHandler>>;

const NewUser = OwnerFields.extend({
  auto_create_key: z.boolean().nullish(),
  key_alias: z.string().max(128).nullish(),
});

async function newUser(context: AdminContext, { body }: AdminRequest): Promise<object> {
  const fields = fieldsOf(NewUser, body);
  const record = await added(context, "user", fields);
  const shown = { ...(await shownOwner(context, record)), user_email: fields.user_email ?? null };
  if (fields.auto_create_key === false) return shown;
  const name = fields.key_alias ?? record.name;
  const made = await context.books.keys.create({ name, owner: { kind: "user", id: record.id }, limits: {} });
  return { ...shown, key: made.key, token: made.record.hash, key_name: made.record.hint };
}

async function newTeam(context: AdminContext, { body }: AdminRequest): Promise<object> {
  return shownOwner(context, await added(context, "team", fieldsOf(OwnerFields, body)));
}

async function added({ books }: AdminContext, kind: OwnerKind, fields: OwnerFields): Promise<OwnerRecord> {
  const id = (kind === "user" ? fields.user_id : fields.team_id) ?? randomUUID();
  if (await books.keys.owner({ kind, id })) {
    throw new AppError("bad_request", `There is a ${kind} with this id already. Update it instead.`);
  }
  return saved({ books }, { kind, id, name: id, limits: {} }, fields);
}

async function updateUser(context: AdminContext, { body }: AdminRequest): Promise<object> {
  const { old, fields } = await named(context, "user", body);
  const record = await saved(context, old, fields);
  return { user_id: record.id, data: await shownOwner(context, record) };
}

async function updateTeam(context: AdminContext, { body }: AdminRequest): Promise<object> {
  const { old, fields } = await named(context, "team", body);
  const record = await saved(context, old, fields);
  return { team_id: record.id, data: await shownOwner(context, record) };
}

async function named({ books }: AdminContext, kind: OwnerKind, body: unknown) {
  const fields = fieldsOf(OwnerFields, body);
  const field = `${kind}_id` as const;
  const id = fields[field];
  if (!id) throw new AppError("bad_request", `Name a \`${field}\`.`, { field });
  const old = await books.keys.owner({ kind, id });
  if (old === undefined) throw new AppError("not_found", `There is no ${kind} with this id.`);
  return { old, fields };
}

async function saved(
  { books }: Pick<AdminContext, "books">,
  old: OwnerRecord,
  fields: OwnerFields,
): Promise<OwnerRecord> {
  const name = old.kind === "user" ? (fields.user_alias ?? fields.user_email) : fields.team_alias;
  const record: OwnerRecord = {
    kind: old.kind,
    id: old.id,
    name: name ?? old.name,
    limits: limitsAfter(old.limits, fields),
    ...defined({ models: fields.models === undefined ? old.models : modelsOf(fields.models) }),
  };
  await books.keys.saveOwner(record);
  return record;
}

async function userInfo(context: AdminContext, request: AdminRequest): Promise<object> {
  const own = request.caller.owner;
  const id = request.query.get("user_id") ?? (own.kind === "user" ? own.id : undefined);
  if (!id) throw new AppError("bad_request", "Name a `user_id`.", { field: "user_id" });
  mustBeOwn(own.kind === "user" && own.id === id, request);
  const record = await context.books.keys.owner({ kind: "user", id });
  const info = await shownOwner(context, record ?? { kind: "user", id, name: id, limits: {} });
  const keys = (await activeKeys(context)).filter(({ owner }) => owner.kind === "user" && owner.id === id);
  const teamIds = [...new Set(keys.flatMap((key) => key.teamId ?? []))];
  const teams = await Promise.all(teamIds.map((team) => context.books.keys.owner({ kind: "team", id: team })));
  return {
    user_id: id,
    user_info: info,
    keys: await keyInfos(context, keys),
    teams: await Promise.all(teams.filter((team) => team !== undefined).map((team) => shownOwner(context, team))),
  };
}

async function teamInfo(context: AdminContext, request: AdminRequest): Promise<object> {
  const own = teamOf(request.caller);
  const id = request.query.get("team_id") ?? own;
  if (!id) throw new AppError("bad_request", "Name a `team_id`.", { field: "team_id" });
  mustBeOwn(own === id, request);
  const record = await context.books.keys.owner({ kind: "team", id });
  if (record === undefined) throw new AppError("not_found", "There is no team with this id.");
  const mine = (await activeKeys(context)).filter((key) => teamOf(key) === id);
  // A member sees its own key, not those of the others.
  const shown = request.caller.admin ? mine : mine.filter((key) => key.id === request.caller.id);
  const info = await shownOwner(context, record);
  return { team_id: id, team_info: info, keys: await keyInfos(context, shown), team_memberships: [] };
}

async function teamList(context: AdminContext): Promise<object> {
  const teams = await context.books.keys.owners("team");
  return Promise.all(teams.map((team) => shownOwner(context, team)));
}

const MAX_KEYS = 100;

async function activeKeys({ books }: AdminContext) {
  const all = await books.keys.list();
  return all.filter((key) => key.revokedAt === undefined && key.conversationId === undefined);
}

function keyInfos(context: AdminContext, keys: Awaited<ReturnType<typeof activeKeys>>): Promise<object[]> {
  return Promise.all(keys.slice(0, MAX_KEYS).map((key) => shownKey(context, key)));
}
