import type { Model } from "@handrail/core/ports/model";
import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import type { BackendInfo, ModelInfo } from "@handrail/protocol/settings";
import type { BackendName } from "@handrail/protocol/sources";

/** The models that conversations may name. */
export type Models = {
  list(): Promise<readonly ModelInfo[]>;
  /** What a new conversation uses when the user names none; null when none is set. */
  defaultId(): Promise<string | null>;
  /** @throws AppError `model_unset`, `model_unknown` */
  require(id: string): Promise<void>;
  /** `spender` pays for its calls, within its limits. @throws AppError `model_unset`, `model_unknown` */
  readonly open: (id: string, spender?: Spender) => Promise<Model>;
};

/** A conversation as the one that pays for what models do. */
export type Spender = {
  readonly conversationId: string;
  readonly ownerId: string;
  readonly teamId: string | null;
  /** In all; undefined where the conversation has no such limit. */
  readonly maxCostUsd: number | undefined;
};

/** The backends that this server has, each loaded at first use. */
export type Backends = {
  /** @throws AppError `bad_request` for one that this server does not have, `backend_unavailable` */
  get(name: BackendName): Promise<SandboxBackend>;
  readonly health: (signal: AbortSignal) => Promise<readonly BackendInfo[]>;
  /** As `health`, of one; looks at no other. @throws AppError as `get` */
  healthOf(name: BackendName): Promise<BackendInfo>;
  /** The one for new conversations. @throws AppError `backend_unavailable` when none works */
  preferred(signal: AbortSignal): Promise<BackendName>;
  /** Names of backends that were used or whose sandboxes may be left from an earlier start. */
  all(): readonly BackendName[];
  close(): Promise<void>;
};
