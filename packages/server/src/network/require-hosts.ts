import { AppError } from "@handrail/protocol/errors";
import type { RequestRule } from "@handrail/protocol/network";
import { hostProblem } from "@handrail/protocol/rule-host";
import type { NetworkRule } from "@handrail/protocol/sources";

type Named = { readonly hosts?: readonly string[] | undefined; readonly requests?: readonly RequestRule[] | undefined };

/** @throws AppError `bad_request` when one of them names no host: such a rule would allow nothing, and not say so */
export function requireHosts({ hosts = [], requests = [] }: Named, field: string): void {
  for (const host of [...hosts, ...requests.map((request) => request.host)]) {
    const problem = hostProblem(host);
    if (problem !== undefined) throw new AppError("bad_request", problem, { field });
  }
}

/** The same for a conversation's own rule. @throws AppError `bad_request` */
export function requireRule(rule: NetworkRule | undefined): void {
  if (rule?.type === "allow") requireHosts(rule, "network");
}
