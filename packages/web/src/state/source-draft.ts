import type { Limits } from "@handrail/protocol/limits";
import type { BackendName, NetworkRule, WorkspaceSource } from "@handrail/protocol/sources";

/** The form of a new conversation as typed. `backend` and `model` are empty until chosen: then the defaults hold. */
export type ConversationDraft = {
  readonly source: "folder" | "git" | "empty";
  readonly folder: string;
  readonly url: string;
  readonly branch: string;
  readonly backend: BackendName | "";
  readonly model: string;
  readonly network: "default" | "none" | "registries" | "hosts";
  readonly hosts: string;
  readonly maxCostUsd: string;
  readonly maxSteps: string;
  readonly maxMinutes: string;
};

export const NEW_DRAFT: ConversationDraft = {
  source: "folder",
  folder: "",
  url: "",
  branch: "",
  backend: "",
  model: "",
  network: "default",
  hosts: "",
  maxCostUsd: "",
  maxSteps: "",
  maxMinutes: "",
};

/** Where the files come from, or a sentence that says what is missing. */
export function readSource(draft: ConversationDraft): WorkspaceSource | string {
  if (draft.source === "empty") return { type: "empty" };
  if (draft.source === "folder") {
    return draft.folder === "" ? "Choose the folder to work on." : { type: "folder", path: draft.folder };
  }
  const url = draft.url.trim();
  const branch = draft.branch.trim();
  if (url === "") return "Give the URL of the git repository.";
  return { type: "git", url, ...(branch === "" ? {} : { branch }) };
}

/** The limits of each run, or a sentence that says what is wrong. Empty fields set no limit of their kind. */
export function readLimits(draft: ConversationDraft): Limits | string {
  const cost = readNumber(draft.maxCostUsd);
  const steps = readNumber(draft.maxSteps);
  const minutes = readNumber(draft.maxMinutes);
  if (cost === null) return "The cost limit must be a number of dollars above 0.";
  if (steps === null || (steps !== undefined && !Number.isInteger(steps))) {
    return "The step limit must be a whole number above 0.";
  }
  if (minutes === null) return "The time limit must be a number of minutes above 0.";
  return {
    ...(cost === undefined ? {} : { maxCostUsd: cost }),
    ...(steps === undefined ? {} : { maxSteps: steps }),
    ...(minutes === undefined ? {} : { maxTimeMs: Math.round(minutes * 60_000) }),
  };
}

/** What the sandbox may reach; undefined for the server's default. */
export function readNetwork(draft: ConversationDraft): NetworkRule | undefined {
  if (draft.network === "default") return undefined;
  if (draft.network === "none") return { type: "none" };
  const hosts = draft.network === "hosts" ? draft.hosts.split(/[\s,]+/).filter(Boolean) : [];
  return { type: "allow", presets: ["registries", "git"], hosts };
}

/** The positive number in a text; undefined when it is empty, null when it is something else. */
function readNumber(text: string): number | undefined | null {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && value > 0 ? value : null;
}
