import { SetupChoice } from "@handrail/protocol/setup";
import type {
  BackendName,
  NetworkRule,
  SandboxChoice,
  SandboxProfile,
  WorkspaceSource,
} from "@handrail/protocol/sources";
import { allowedHosts } from "./host-texts.ts";
import { type LimitDraft, NO_LIMITS } from "./limit-draft.ts";

/** The form of a new conversation as typed. `team` is empty for a personal one. `backend`, `profile` and `model` are empty until chosen: then the defaults hold. */
export type ConversationDraft = {
  readonly source: "folder" | "git" | "empty";
  readonly folder: string;
  readonly url: string;
  readonly branch: string;
  readonly team: string;
  readonly backend: BackendName | "";
  readonly profile: SandboxProfile | "";
  readonly model: string;
  readonly network: "default" | "none" | "registries" | "hosts";
  readonly hosts: string;
  readonly setup: SetupChoice["type"];
  /** What is run in place of the repository's own set-up, when `setup` is `command`. */
  readonly setupCommand: string;
  readonly runLimits: LimitDraft;
};

export const NEW_DRAFT: ConversationDraft = {
  source: "folder",
  folder: "",
  url: "",
  branch: "",
  team: "",
  backend: "",
  profile: "",
  model: "",
  network: "default",
  hosts: "",
  setup: "repository",
  setupCommand: "",
  runLimits: NO_LIMITS,
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

/** What the sandbox may reach, undefined for the server's default, or a sentence that says what is wrong. */
export function readNetwork(draft: ConversationDraft): NetworkRule | string | undefined {
  if (draft.network === "default") return undefined;
  if (draft.network === "none") return { type: "none" };
  const allowed = allowedHosts(draft.network === "hosts" ? draft.hosts : "");
  return typeof allowed === "string" ? allowed : { type: "allow", presets: ["registries", "git"], ...allowed };
}

/** What is run before the agent acts, undefined for the repository's own, or a sentence that says what is missing. */
export function readSetup({ setup, setupCommand }: ConversationDraft): SetupChoice | string | undefined {
  if (setup === "repository") return undefined;
  if (setup === "none") return { type: "none" };
  const command = setupCommand.trim();
  if (command === "") return "Give the command of the set-up, or choose another one.";
  const read = SetupChoice.safeParse({ type: "command", command });
  return read.success ? read.data : "The command of the set-up is too long. Put it into a script of the repository.";
}

/** What was chosen of the sandbox, undefined where the server's defaults hold in all, or a sentence that says what is wrong. */
export function readSandbox(draft: ConversationDraft): Partial<SandboxChoice> | string | undefined {
  const { backend, profile } = draft;
  const network = readNetwork(draft);
  if (typeof network === "string") return network;
  const chosen = {
    ...(backend === "" ? {} : { backend }),
    ...(profile === "" ? {} : { profile }),
    ...(network === undefined ? {} : { network }),
  };
  return Object.keys(chosen).length === 0 ? undefined : chosen;
}
