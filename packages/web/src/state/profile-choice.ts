import type { BackendInfo, Defaults } from "@handrail/protocol/settings";
import type { SandboxProfile } from "@handrail/protocol/sources";
import type { ConversationDraft } from "./source-draft.ts";

/** What the form of a new conversation says of profiles. */
export type ProfileChoice = {
  /** The one that the conversation would have. */
  readonly chosen: SandboxProfile;
  /** Those to choose from; the chosen one is among them, also where the backend does not have it. */
  readonly offered: readonly SandboxProfile[];
  /** The backend that works and does not have the chosen one; undefined: it has it, or nobody knows. */
  readonly lackedBy: BackendInfo | undefined;
};

export type ProfileSettings = {
  readonly backends: readonly BackendInfo[];
  readonly defaults: Pick<Defaults, "backend" | "profile" | "profiles">;
};

/** Undefined where the server has no profiles. A backend that does not work says nothing of those it has. */
export function profileChoice(
  { backends, defaults }: ProfileSettings,
  draft: Pick<ConversationDraft, "backend" | "profile">,
): ProfileChoice | undefined {
  const { profile, profiles = [] } = defaults;
  if (profile === undefined) return undefined;
  const name = draft.backend === "" ? defaults.backend : draft.backend;
  const backend = backends.find((one) => one.name === name && one.works);
  // Without isolation there is but one profile, and it holds unless another is named.
  const usual = name === "none" ? "default" : profile;
  const chosen = draft.profile === "" ? usual : draft.profile;
  const has = (one: SandboxProfile) => backend === undefined || backend.profiles.includes(one);
  return {
    chosen,
    offered: profiles.filter((one) => has(one) || one === chosen),
    lackedBy: has(chosen) ? undefined : backend,
  };
}
