import { headerUseOf, pushRuleOf, pushRuleText, requestRulesOf, requestRuleText } from "@handrail/protocol/secret-text";
import {
  type PushRule,
  type SecretInfo,
  SecretInput,
  SecretName,
  type SecretScope,
  type SecretUse,
} from "@handrail/protocol/secrets";
import { firstIssue, given } from "./form-texts.ts";

/** The secret form as typed. Lists are separated by spaces. `team` is empty for a user's own; with one, `repository` is not looked at. */
export type SecretDraft = {
  readonly name: string;
  readonly value: string;
  readonly use: SecretUse["type"];
  readonly header: string;
  readonly hosts: string;
  readonly gitHost: string;
  readonly fetch: string;
  readonly push: string;
  readonly user: string;
  readonly environment: string;
  readonly team: string;
  readonly repository: string;
  readonly description: string;
};

export const NEW_SECRET: SecretDraft = {
  name: "",
  value: "",
  use: "header",
  header: "Bearer {secret}",
  hosts: "",
  gitHost: "",
  fetch: "",
  push: "",
  user: "",
  environment: "",
  team: "",
  repository: "",
  description: "",
};

/** A stored secret as the form shows it; its value is not known here. */
export function secretDraft({ name, use, scope, environment, description }: SecretInfo): SecretDraft {
  return {
    ...NEW_SECRET,
    name,
    ...useDraft(use),
    environment: environment ?? "",
    team: scope.type === "team" ? scope.teamId : "",
    repository: scope.type === "repository" ? scope.url : "",
    description: description ?? "",
  };
}

function useDraft(use: SecretUse): Partial<SecretDraft> {
  if (use.type === "file") return { use: "file" };
  const user = use.user ?? "";
  if (use.type === "git") {
    const push = use.push.map(pushRuleText).join(" ");
    return { use: "git", gitHost: use.host, fetch: use.repositories.join(" "), push, user };
  }
  const format = use.format ?? "Bearer {secret}";
  const header = use.header === undefined ? format : `${use.header}: ${format}`;
  return { use: "header", header, hosts: use.hosts.map(requestRuleText).join(" "), user };
}

/** A secret to save, by its name. */
export type ReadSecret = { readonly name: string; readonly body: SecretInput };

/**
 * What the form says, or a sentence that says what is wrong. Of `known`, the stored secret that it changes, an empty value
 * keeps the value, and what the form does not show stays.
 */
export function readSecretDraft(draft: SecretDraft, known: SecretInfo | null): ReadSecret | string {
  const name = SecretName.safeParse(draft.name.trim());
  if (!name.success) return firstIssue(name.error, { "": "Name" });
  if (draft.value === "" && known === null) return "Give the value.";
  const use = useOf(draft, known);
  if (typeof use === "string") return use;
  const { value, environment, description } = draft;
  const body = SecretInput.safeParse({
    scope: scopeOf(draft),
    use,
    ...given({ environment, description }),
    ...kept(value),
  });
  return body.success ? { name: name.data, body: body.data } : firstIssue(body.error, LABELS);
}

/** What the form calls what a schema may find. */
const LABELS = {
  value: "Value",
  environment: "Variable inside",
  header: "Header",
  format: "Header",
  host: "Hosts",
  hosts: "Hosts",
  repositories: "May fetch",
  push: "May push",
  user: "User, for HTTP Basic",
  url: "Only for the repository",
  description: "Note",
} as const;

const kept = (value: string) => (value === "" ? {} : { value });

function scopeOf({ team, repository }: SecretDraft): SecretScope {
  if (team !== "") return { type: "team", teamId: team };
  const url = repository.trim();
  return url === "" ? { type: "owner" } : { type: "repository", url };
}

const USE_FIELDS = ["use", "header", "hosts", "gitHost", "fetch", "push", "user"] as const;

function useOf(draft: SecretDraft, known: SecretInfo | null): SecretUse | string {
  const before = known === null ? NEW_SECRET : secretDraft(known);
  if (known !== null && USE_FIELDS.every((field) => draft[field] === before[field])) return known.use;
  if (draft.use === "file") return { type: "file" };
  return draft.use === "git" ? gitUse(draft, known?.use) : headerUse(draft, known?.use);
}

function gitUse(draft: SecretDraft, before: SecretUse | undefined): SecretUse | string {
  const push: readonly (PushRule | undefined)[] = words(draft.push).map(pushRuleOf);
  if (draft.gitHost.trim() === "") return "Give the git host, such as git.example.org.";
  if (!every(push)) return "A push needs repository and branches, such as owner/repo:handrail/*.";
  const deletable = new Set(
    before?.type === "git" ? before.push.filter(({ deletions }) => deletions).map(({ repository }) => repository) : [],
  );
  return {
    type: "git",
    host: draft.gitHost.trim(),
    repositories: words(draft.fetch),
    push: push.map((rule) => ({ ...rule, ...(deletable.has(rule.repository) ? { deletions: true } : {}) })),
    ...given({ user: draft.user }),
  };
}

function headerUse(draft: SecretDraft, before: SecretUse | undefined): SecretUse | string {
  const hosts = requestRulesOf(draft.hosts);
  if (hosts.length === 0) return "Give the hosts whose requests get the secret.";
  if (!every(hosts)) return "A host is a name such as api.example.org, perhaps with :PORT and /PATH.";
  const keep = before?.type === "header" && before.keep !== undefined ? { keep: before.keep } : {};
  return {
    type: "header",
    hosts: [...hosts],
    ...headerUseOf(draft.header.trim()),
    ...given({ user: draft.user }),
    ...keep,
  };
}

const words = (text: string) => text.split(/\s+/).filter(Boolean);

function every<Value>(values: readonly (Value | undefined)[]): values is readonly Value[] {
  return values.every((value) => value !== undefined);
}
