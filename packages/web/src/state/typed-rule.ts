import { NetworkPreset, type RequestRule } from "@handrail/protocol/network";
import { requestRulesOf } from "@handrail/protocol/secret-text";

/** What one stored rule allows: a set of hosts, a host, or a kind of request. */
export type TypedRule = {
  readonly presets?: NetworkPreset[];
  readonly hosts?: string[];
  readonly requests?: RequestRule[];
};

/** The one rule that was typed, or a sentence that says what is wrong. The word of a preset means the preset. */
export function typedRule(text: string): TypedRule | string {
  const [rule, ...others] = requestRulesOf(text);
  if (others.length > 0) return "Give one host at a time.";
  if (rule === undefined) return WRONG;
  const { host, port, methods, path } = rule;
  if (port !== undefined || methods !== undefined || path !== undefined) return { requests: [rule] };
  const preset = NetworkPreset.safeParse(host);
  return preset.success ? { presets: [preset.data] } : { hosts: [host] };
}

const WRONG = "Give a host such as api.example.org, perhaps with :PORT and /PATH, and GET,POST before it.";
