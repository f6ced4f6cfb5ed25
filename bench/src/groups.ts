import { appends } from "./groups/appends.ts";
import { bound } from "./groups/bound.ts";
import { browser } from "./groups/browser.ts";
import { gateway } from "./groups/gateway.ts";
import { idle } from "./groups/idle.ts";
import { live } from "./groups/live.ts";
import { peers } from "./groups/peers.ts";
import { serverStart } from "./groups/server-start.ts";
import { sandboxLife } from "./groups/sandbox-life.ts";
import { sandboxes } from "./groups/sandboxes.ts";
import { snapshots } from "./groups/snapshots.ts";
import { setup } from "./groups/setup.ts";
import { steps } from "./groups/steps.ts";
import type { Group } from "./row.ts";

/** Every measurement, in the order of the table. */
export const GROUPS: readonly Group[] = [
  serverStart,
  sandboxes,
  sandboxLife,
  setup,
  snapshots,
  bound,
  steps,
  appends,
  live,
  idle,
  browser,
  gateway,
  peers,
];
