import { AppError } from "@handrail/protocol/errors";
import type { RequestRule } from "@handrail/protocol/network";
import { hostFormProblem, hostProblem } from "@handrail/protocol/rule-host";
import type { NetworkRule } from "@handrail/protocol/sources";
import { namesRepository } from "./repository-key.ts";

type Named = { readonly hosts?: readonly string[] | undefined; readonly requests?: readonly RequestRule[] | undefined };

/**
 * @throws AppError `bad_request` when one of them names no host, or one that is never reached: such a rule would allow nothing,
 * and not say so
 */
export function requireHosts(rule: Named, field: string): void {
  requireAll(rule, field, hostProblem);
}

/** The same for hosts that need not be reached from a sandbox. @throws AppError `bad_request` */
export function requireHostNames(named: Named, field: string): void {
  requireAll(named, field, hostFormProblem);
}

function requireAll(
  { hosts = [], requests = [] }: Named,
  field: string,
  problemOf: (host: string) => string | undefined,
): void {
  for (const host of [...hosts, ...requests.map((request) => request.host)]) {
    const problem = problemOf(host);
    if (problem !== undefined) throw new AppError("bad_request", problem, { field });
  }
}

/** The same for a conversation's own rule. @throws AppError `bad_request` */
export function requireRule(rule: NetworkRule | undefined): void {
  if (rule?.type === "allow") requireHosts(rule, "network");
}

/** @throws AppError `bad_request` when a text names no repository: what is for it would be for no conversation, and not say so */
export function requireRepository(text: string, field: string): void {
  if (namesRepository(text)) return;
  const message = "Name the repository as conversations do: by its git URL, or by an absolute folder.";
  throw new AppError("bad_request", message, { field });
}
