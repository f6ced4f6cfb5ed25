import type { RequestRule } from "@handrail/protocol/network";
import { requestRulesOf, requestRuleText } from "@handrail/protocol/secret-text";
import type { NetworkRule } from "@handrail/protocol/sources";

type Allowed = Extract<NetworkRule, { type: "allow" }>;

/** What a rule allows beside its presets: whole hosts, and single kinds of request. */
export type AllowedHosts = Pick<Allowed, "hosts" | "requests">;

/** What can be typed. */
export const HOSTS_HINT =
  "Separated by spaces. A leading dot allows every host below: .example.org. One kind of request: GET api.example.org/v1/**";

/** As people type it, to be separated by spaces: `a.org`, `.b.org:8443`, `GET c.org/v1/**`. */
export function hostTexts({ hosts, requests = [] }: AllowedHosts): readonly string[] {
  return [...hosts, ...requests.map(requestRuleText)];
}

/** The other way round, or a sentence that says what is wrong. `requests` is absent where there are none. */
export function allowedHosts(text: string): AllowedHosts | string {
  const rules = requestRulesOf(text);
  if (!rules.every((rule) => rule !== undefined)) {
    return "A host is a name such as api.example.org, perhaps with :PORT and /PATH, and GET,POST before it.";
  }
  const requests = rules.filter(isKind);
  const hosts = rules.filter((rule) => !isKind(rule)).map(requestRuleText);
  return { hosts, ...(requests.length === 0 ? {} : { requests }) };
}

const isKind = ({ methods, path }: RequestRule) => methods !== undefined || path !== undefined;
