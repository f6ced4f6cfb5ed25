import { AppError } from "@handrail/protocol/errors";
import type { IdPrefix } from "@handrail/protocol/ids";
import { StoredRule } from "@handrail/protocol/network-routes";
import type { RuleScope } from "@handrail/protocol/network-events";
import type { RequestRule } from "@handrail/protocol/network";
import { z } from "zod";
import type { Holder } from "../auth/teams.ts";
import type { JsonFile } from "../settings/json-file.ts";

/** The file of stored rules: each with the user whose conversations it is for, or who gave it to a team. */
export const StoredRulesFile = z.object({ rules: z.array(StoredRule.extend({ ownerId: z.string() })) });

type Owned = z.infer<typeof StoredRulesFile>["rules"][number];

export type NewRule = {
  readonly ownerId: string;
  readonly scope: RuleScope;
  /** As `repositoryKey` gives it; with scope `repository` only. */
  readonly repository: string | undefined;
  /** With scope `team` only. */
  readonly teamId?: string | undefined;
  readonly presets?: StoredRule["presets"] | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly requests?: readonly RequestRule[] | undefined;
};

/** Who lists rules and removes them. */
export type RuleUser = { readonly userId: string; readonly teams: readonly string[] };

/** Rules for all of a user's conversations, for those on one repository, or for a team's. Held in memory, written through. */
export type StoredRules = {
  /** Changes with each change of any rule. */
  readonly version: number;
  /** Calls back after each change. */
  onChange(listener: () => void): void;
  /** The user's own and those of the user's teams. */
  of(user: RuleUser): readonly StoredRule[];
  /** Those that hold for a conversation: its owner's, and all of its team's. */
  for(holder: Holder, repository: string | undefined): readonly StoredRule[];
  /** One that says the same is there already: gives that. @throws AppError `bad_request`, `limit_reached` */
  add(rule: NewRule): Promise<StoredRule>;
  /** @throws AppError `not_found` unless the user or one of the user's teams has such a rule */
  remove(user: RuleUser, ruleId: string): Promise<void>;
};

const MAX_RULES = 500;

export type StoredRulesParts = {
  readonly file: JsonFile<z.infer<typeof StoredRulesFile>>;
  readonly now: () => number;
  readonly newId: (prefix: IdPrefix) => string;
};

/** @throws AppError `storage_failed` when the file is damaged */
export async function openStoredRules({ file, now, newId }: StoredRulesParts): Promise<StoredRules> {
  let rules: readonly Owned[] = (await file.read())?.rules ?? [];
  let version = 0;
  const listeners = new Set<() => void>();
  let turn: Promise<unknown> = Promise.resolve();
  /** One write after the other; what could not be written does not hold. What is given back as it was is not written. */
  const change = (decide: (rules: readonly Owned[]) => readonly Owned[]) => {
    const write = async () => {
      const next = decide(rules);
      if (next === rules) return;
      await file.write({ rules: [...next] });
      rules = next;
      version += 1;
      for (const listener of listeners) listener();
    };
    const done = turn.then(write, write);
    turn = done.catch(() => undefined);
    return done;
  };

  return {
    get version() {
      return version;
    },
    onChange: (listener) => void listeners.add(listener),
    of: (user) => rules.filter(isOf(user)).map(withoutOwner),
    for: ({ ownerId, teamId }, repository) =>
      rules
        .filter(isOf({ userId: ownerId, teams: teamId === null ? [] : [teamId] }))
        .filter((rule) => rule.scope !== "repository" || rule.repository === repository)
        .map(withoutOwner),
    async add(wanted) {
      const fresh: Owned = { ...ownedRule(wanted), ruleId: newId("w"), createdAt: now() };
      let kept = fresh;
      await change((before) => {
        const same = before.find((rule) => saysSame(rule, fresh));
        kept = same ?? fresh;
        if (same !== undefined) return before;
        if (before.length >= MAX_RULES) throw new AppError("limit_reached", "There are too many rules. Remove some.");
        return [...before, fresh];
      });
      return withoutOwner(kept);
    },
    async remove(user, ruleId) {
      const isIt = (rule: Owned) => isOf(user)(rule) && rule.ruleId === ruleId;
      if (!rules.some(isIt)) throw new AppError("not_found", "There is no such rule.");
      await change((before) => before.filter((rule) => !isIt(rule)));
    },
  };
}

const isOf =
  ({ userId, teams }: RuleUser) =>
  ({ scope, ownerId, teamId = "" }: Owned): boolean =>
    scope === "team" ? teams.includes(teamId) : ownerId === userId;

/** @throws AppError `bad_request` */
function ownedRule({ ownerId, scope, repository, teamId, presets = [], hosts = [], requests = [] }: NewRule) {
  if ((scope === "repository") !== (repository !== undefined)) {
    throw new AppError("bad_request", "A rule of a repository names it, and no other rule does.", {
      field: "repository",
    });
  }
  if ((scope === "team") !== (teamId !== undefined)) {
    throw new AppError("bad_request", "A rule of a team names it, and no other rule does.", { field: "teamId" });
  }
  if (presets.length + hosts.length + requests.length === 0) {
    throw new AppError("bad_request", "A rule allows at least one preset, host or request.", { field: "hosts" });
  }
  const allowed = { presets: [...presets], hosts: [...hosts], requests: [...requests] };
  const whose = { ...(repository === undefined ? {} : { repository }), ...(teamId === undefined ? {} : { teamId }) };
  return { ownerId, scope, ...whose, ...allowed };
}

function saysSame(one: Owned, other: Owned): boolean {
  const said = ({ ownerId, scope, repository, teamId, presets, hosts, requests }: Owned) =>
    JSON.stringify([scope === "team" ? teamId : ownerId, scope, repository, presets, hosts, requests]);
  return said(one) === said(other);
}

function withoutOwner(owned: Owned): StoredRule {
  const { ownerId: _, ...rule } = owned;
  return rule;
}
