import type { GitSecretUse, PushRule } from "@handrail/protocol/secrets";
import { pathMatches } from "../path-pattern.ts";
import type { RefUpdate } from "./receive-pack.ts";

/** A request of git's smart HTTP protocol (gitprotocol-http). `commands`: its body begins with a push's commands. */
export type GitRequest = {
  readonly repository: string;
  readonly service: "fetch" | "push";
  readonly commands: boolean;
};

const REFS = /^\/(.+?)(?:\.git)?\/info\/refs$/;
const SERVICE = /^\/(.+?)(?:\.git)?\/git-(upload|receive)-pack$/;

/** What a request asks of git, or undefined when it is none of git's. */
export function gitRequest(method: string, path: string, query: string): GitRequest | undefined {
  if (method === "GET") {
    const repository = REFS.exec(path)?.[1];
    const service = /^\?service=git-(upload|receive)-pack$/.exec(query)?.[1];
    if (repository === undefined || service === undefined) return undefined;
    return { repository, service: serviceOf(service), commands: false };
  }
  const [, repository, service] = SERVICE.exec(path) ?? [];
  if (method !== "POST" || repository === undefined || service === undefined) return undefined;
  return { repository, service: serviceOf(service), commands: service === "receive" };
}

const serviceOf = (name: string) => (name === "receive" ? "push" : "fetch");

/** The rules for pushes to a repository. */
export function pushRules(use: GitSecretUse, repository: string): readonly PushRule[] {
  return use.push.filter((rule) => pathMatches(rule.repository, repository));
}

export function mayFetch(use: GitSecretUse, repository: string): boolean {
  return [...use.repositories, ...use.push.map((rule) => rule.repository)].some((glob) =>
    pathMatches(glob, repository),
  );
}

/** The first update that no rule allows, or undefined. */
export function refusedUpdate(rules: readonly PushRule[], updates: readonly RefUpdate[]): RefUpdate | undefined {
  return updates.find((update) => !rules.some((rule) => allows(rule, update)));
}

function allows(rule: PushRule, { ref, deletes }: RefUpdate): boolean {
  if (deletes && rule.deletions !== true) return false;
  const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  const globs = kind === "heads" ? rule.branches : kind === "tags" ? rule.tags : undefined;
  return globs?.some((glob) => pathMatches(glob, name)) ?? false;
}
