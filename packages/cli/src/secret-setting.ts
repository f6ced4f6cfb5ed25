import type { RequestRule } from "@handrail/protocol/network";
import { headerUseOf, pushRuleOf, requestRuleOf } from "@handrail/protocol/secret-text";
import { type PushRule, type SecretScope, SecretSetting, type SecretUse } from "@handrail/protocol/secrets";
import { UsageError } from "./exit-codes.ts";
import { present } from "./present.ts";

export type SecretOptions = {
  readonly header?: string;
  readonly host?: readonly string[];
  readonly git?: string;
  readonly fetch?: readonly string[];
  readonly push?: readonly string[];
  readonly file?: boolean;
  readonly user?: string;
  readonly env?: string;
  readonly repo?: string;
  readonly team?: string;
  readonly description?: string;
};

/** How a secret is used, as the options of `secrets set` say it. @throws UsageError a sentence that says what to give */
export function readSecretSetting(options: SecretOptions): SecretSetting {
  const read = SecretSetting.safeParse(
    present({
      description: options.description,
      scope: scopeOf(options),
      use: useOf(options),
      environment: options.env,
    }),
  );
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw new UsageError(`${issue?.path.join(".") ?? "The secret"}: ${issue?.message ?? "is wrong"}.`);
}

function scopeOf({ repo, team }: SecretOptions): SecretScope {
  if (repo !== undefined && team !== undefined) {
    throw new UsageError("Give --repo or --team: a team's secret is for all of its conversations.");
  }
  if (team !== undefined) return { type: "team", teamId: team };
  return repo === undefined ? { type: "owner" } : { type: "repository", url: repo };
}

function useOf(options: SecretOptions): SecretUse {
  const kinds = [options.header ?? options.host, options.git, options.file].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) throw new UsageError("Give one use: --header with --host, --git HOST, or --file.");
  if (options.git !== undefined) return gitUse(options.git, options);
  if (options.fetch !== undefined || options.push !== undefined) {
    throw new UsageError("--fetch and --push go with --git HOST.");
  }
  return options.file === true ? { type: "file" } : headerUse(options);
}

function gitUse(host: string, { fetch = [], push = [], user }: SecretOptions): SecretUse {
  if (fetch.length + push.length === 0) {
    throw new UsageError("Say which repositories: --fetch 'owner/*', --push 'owner/repo:branch'.");
  }
  return { type: "git", host, repositories: [...fetch], push: push.map(pushRule), ...present({ user }) };
}

function headerUse(options: SecretOptions): SecretUse {
  const { host = [], user } = options;
  if (host.length === 0) throw new UsageError("Say which hosts get the header: --host api.example.org.");
  return {
    type: "header",
    hosts: host.map(requestRule),
    ...(options.header === undefined ? {} : headerUseOf(options.header)),
    ...present({ user }),
  };
}

/** @throws UsageError */
function requestRule(text: string): RequestRule {
  const rule = requestRuleOf(text);
  if (rule !== undefined) return rule;
  throw new UsageError(`"${text}" is not a host. Give a name such as api.example.org, perhaps with :PORT and /PATH.`);
}

/** @throws UsageError */
function pushRule(text: string): PushRule {
  const rule = pushRuleOf(text);
  if (rule !== undefined) return rule;
  throw new UsageError(`"${text}" names no branch. Give repository and branches: --push 'owner/repo:handrail/*'.`);
}
