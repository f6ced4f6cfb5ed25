import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { Limits } from "@handrail/protocol/limits";
import type { NetworkPreset } from "@handrail/protocol/network";
import type { NetworkRule } from "@handrail/protocol/sources";
import { type LimitDraft, limitDraft, readLimits } from "./limit-draft.ts";

/** The settings of a conversation as the form shows them. `hosts` are separated by spaces. */
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

type Allowed = Pick<Extract<NetworkRule, { type: "allow" }>, "presets" | "hosts">;

/** The form as a conversation's settings fill it. */
export function changeDraft({ model, limits, runLimits, sandbox: { network } }: Configured): ChangeDraft {
  const allowed: Allowed = network.type === "allow" ? network : { presets: [], hosts: [] };
  return {
    model,
    network: network.type === "none" ? "none" : allowed.presets.includes("everything") ? "everything" : "chosen",
    presets: allowed.presets.filter((preset) => preset !== "everything"),
    hosts: allowed.hosts.join(" "),
    runLimits: limitDraft(runLimits),
    limits: limitDraft(limits),
  };
}

/** What the form changes, or a sentence that says what is wrong. Empty when nothing is different. */
export function readChange(state: Configured, draft: ChangeDraft): SettingsChange | string {
  const before = changeDraft(state);
  const runLimits = readLimits(draft.runLimits);
  const limits = readLimits(draft.limits);
  if (typeof runLimits === "string") return `Each run: ${runLimits}`;
  if (typeof limits === "string") return `The whole conversation: ${limits}`;
  const changed = (...fields: readonly (keyof ChangeDraft)[]) =>
    fields.some((field) => JSON.stringify(draft[field]) !== JSON.stringify(before[field]));
  return {
    ...(changed("model") ? { model: draft.model } : {}),
    ...(changed("network", "presets", "hosts") ? { network: networkOf(state.sandbox.network, draft) } : {}),
    ...(changed("runLimits") ? { runLimits } : {}),
    ...(changed("limits") ? { limits } : {}),
  };
}

/** The rule that was chosen. Kinds of request that the rule allowed before stay: the form does not show them. */
function networkOf(before: NetworkRule, { network, presets, hosts }: ChangeDraft): NetworkRule {
  if (network === "none") return { type: "none" };
  if (network === "everything") return { type: "allow", presets: ["everything"], hosts: [] };
  const requests = before.type === "allow" && before.requests !== undefined ? { requests: before.requests } : {};
  return { type: "allow", presets: [...presets], hosts: hosts.split(/[\s,]+/).filter(Boolean), ...requests };
}
