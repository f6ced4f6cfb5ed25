import type { Journal } from "@handrail/core/journal";
import type { PrepareSeed } from "@handrail/core/ports/workspace-seed";
import { AppError } from "@handrail/protocol/errors";
import type { Config } from "../config.ts";
import type { CreateParts } from "../conversations/create-conversation.ts";
import type { WorkspaceViews } from "../conversations/workspace-views.ts";
import type { Deliver } from "../workspaces/deliver.ts";
import { seedPreparer } from "../workspaces/prepare-seed.ts";

export type Workspaces = {
  readonly prepareSeed: PrepareSeed;
  readonly checkSource: CreateParts["checkSource"];
  readonly deliverFor: (journal: (id: string) => Promise<Journal>) => (views: WorkspaceViews) => Deliver;
};

type Parts = { readonly config: Config; readonly demoDirectory: string; readonly seeds: string };

/** Where workspaces come from, and where their results go. */
export function workspacesOf({ demoDirectory, seeds }: Parts): Workspaces {
  return {
    prepareSeed: seedPreparer({ directory: seeds, demoDirectory }),
    checkSource: async () => undefined,
    deliverFor: () => () => async () => {
      throw new AppError("source_invalid", "Not possible yet.");
    },
  };
}
