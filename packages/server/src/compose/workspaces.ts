import { realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Journal } from "@handrail/core/journal";
import type { PrepareSeed, Seed } from "@handrail/core/ports/workspace-seed";
import type { Config } from "../config.ts";
import type { CreateParts } from "../conversations/create-conversation.ts";
import { readPatch, type WorkspaceViews } from "../conversations/workspace-views.ts";
import { type Deliver, deliverer } from "../workspaces/deliver.ts";
import { hostGit } from "../workspaces/git.ts";
import { checkSource, makeSeed, seedPreparer } from "../workspaces/prepare-seed.ts";
import { demoDirectory } from "./adapters.ts";

export type Workspaces = {
  readonly prepareSeed: PrepareSeed;
  /** A seed without files. */
  readonly emptySeed: () => Promise<Seed>;
  readonly checkSource: CreateParts["checkSource"];
  readonly deliverFor: (journal: (id: string) => Promise<Journal>, views: WorkspaceViews) => Deliver;
};

/** Where workspaces come from, and where their results go. */
export function workspacesOf(config: Config): Workspaces {
  const home = realpathSync(config.home);
  const directory = join(home, "seeds");
  // What a killed server left half made.
  rmSync(directory, { recursive: true, force: true });
  const git = hostGit(config.environment);
  const parts = { git, directory, demoDirectory, home, local: config.localSources };
  return {
    prepareSeed: seedPreparer(parts),
    emptySeed: () => makeSeed(directory),
    checkSource: (source) => checkSource(parts, source),
    deliverFor: (journal, views) =>
      deliverer({ ...parts, journal, readPatch: (id, signal) => readPatch(views, id, signal) }),
  };
}
