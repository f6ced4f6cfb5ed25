import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { Limits } from "@handrail/protocol/limits";
import type { NetworkPreset } from "@handrail/protocol/network";
import type { NetworkRule } from "@handrail/protocol/sources";
import { allowedHosts, hostTexts } from "./host-texts.ts";
import { type LimitDraft, limitDraft, readLimits } from "./limit-draft.ts";

/** The settings of a conversation as the form shows them. `hosts` are as `hostTexts` gives them. */
export type ChangeDraft = {
  readonly model: string;
  readonly network: "none" | "chosen" | "everything";
  readonly presets: readonly NetworkPreset[];
  readonly hosts: string;
  readonly runLimits: LimitDraft;
  readonly limits: LimitDraft;
};

/** What the form asks the server to change; fields that stay as they are, are absent. */
export type SettingsChange = {
  readonly model?: string;
  readonly network?: NetworkRule;
  readonly runLimits?: Limits;
  readonly limits?: Limits;
};

type Configured = Pick<ConversationState, "model" | "limits" | "runLimits"> & {
  readonly sandbox: Pick<ConversationState["sandbox"], "network">;
};

/** The form as a conversation's settings fill it. */
export function changeDraft({ model, limits, runLimits, sandbox: { network } }: Configured): ChangeDraft {
  const presets = network.type === "allow" ? network.presets : [];
  return {
    model,
    network: network.type === "none" ? "none" : presets.includes("everything") ? "everything" : "chosen",
    presets: presets.filter((preset) => preset !== "everything"),
    hosts: textsOf(network).join(" "),
    runLimits: limitDraft(runLimits),
    limits: limitDraft(limits),
  };
}

const textsOf = (network: NetworkRule) => (network.type === "allow" ? hostTexts(network) : []);

/**
 * What the form changes of what it showed, or a sentence that says what is wrong. Empty when nothing is different. Hosts
 * that were allowed meanwhile, as by an answer to an ask, stay allowed: `now` is how the conversation is set.
 */
export function readChange(shown: Configured, draft: ChangeDraft, now: Configured = shown): SettingsChange | string {
  const before = changeDraft(shown);
  const runLimits = readLimits(draft.runLimits);
  const limits = readLimits(draft.limits);
  if (typeof runLimits === "string") return `Each run: ${runLimits}`;
  if (typeof limits === "string") return `The whole conversation: ${limits}`;
  const changed = (...fields: readonly (keyof ChangeDraft)[]) =>
    fields.some((field) => JSON.stringify(draft[field]) !== JSON.stringify(before[field]));
  const network = changed("network", "presets", "hosts") ? readNetwork(draft, allowedSince(shown, now)) : {};
  if (typeof network === "string") return network;
  return {
    ...(changed("model") ? { model: draft.model } : {}),
    ...network,
    ...(changed("runLimits") ? { runLimits } : {}),
    ...(changed("limits") ? { limits } : {}),
  };
}

function allowedSince(shown: Configured, now: Configured): readonly string[] {
  const before = new Set(textsOf(shown.sandbox.network));
  return textsOf(now.sandbox.network).filter((text) => !before.has(text));
}

function readNetwork({ network, presets, hosts }: ChangeDraft, since: readonly string[]): SettingsChange | string {
  if (network === "none") return { network: { type: "none" } };
  if (network === "everything") return { network: { type: "allow", presets: ["everything"], hosts: [] } };
  const allowed = allowedHosts([hosts, ...since].join(" "));
  return typeof allowed === "string" ? allowed : { network: { type: "allow", presets: [...presets], ...allowed } };
}
