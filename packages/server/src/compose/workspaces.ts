import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { Journal } from "@handrail/core/journal";
import type { PrepareSeed } from "@handrail/core/ports/workspace-seed";
import type { Config } from "../config.ts";
import type { CreateParts } from "../conversations/create-conversation.ts";
import { readPatch, type WorkspaceViews } from "../conversations/workspace-views.ts";
import { type Deliver, deliverer } from "../workspaces/deliver.ts";
import { hostGit } from "../workspaces/git.ts";
import { checkSource, seedPreparer } from "../workspaces/prepare-seed.ts";
import { demoDirectory } from "./adapters.ts";

export type Workspaces = {
  readonly prepareSeed: PrepareSeed;
  readonly checkSource: CreateParts["checkSource"];
  readonly deliverFor: (journal: (id: string) => Promise<Journal>, views: WorkspaceViews) => Deliver;
};

/** Where workspaces come from, and where their results go. */
export function workspacesOf(config: Config): Workspaces {
  const home = realpathSync(config.home);
  const git = hostGit(config.environment);
  const local = config.localSources;
  const parts = { git, directory: join(home, "seeds"), demoDirectory, home, local };
  return {
    prepareSeed: seedPreparer(parts),
    checkSource: (source) => checkSource(parts, source),
    deliverFor: (journal, views) =>
      deliverer({ git, home, local, journal, readPatch: (id, signal) => readPatch(views, id, signal) }),
  };
}
