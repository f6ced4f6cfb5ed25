import type { Attack, InsideAttack } from "./attack.ts";
import { CREDENTIAL_ATTACKS } from "./cases/credential-attacks.ts";
import { EXHAUSTION_ATTACKS } from "./cases/damage-attacks.ts";
import { SANDBOXD_ATTACKS } from "./cases/sandboxd-attacks.ts";
import { ESCAPE_ATTACKS } from "./cases/escape-attacks.ts";
import { FORGED_ATTACKS } from "./cases/forged-attacks.ts";
import { KERNEL_ATTACKS } from "./cases/kernel-attacks.ts";
import { BROKER_ATTACKS } from "./cases/broker-attacks.ts";
import { FLOODS } from "./cases/broker-strain-attacks.ts";
import { NETWORK_ATTACKS } from "./cases/network-attacks.ts";
import { PROC_ATTACKS } from "./cases/proc-attacks.ts";
import { SERVER_GIT_ATTACKS } from "./cases/server-git-attacks.ts";
import { SNAPSHOT_ATTACKS } from "./cases/snapshot-attacks.ts";
import { WORKSPACE_ATTACKS } from "./cases/workspace-attacks.ts";

/** Attacks by a program that harms nothing but itself: one sandbox for all of them, and one of the profile dev. */
export const INSIDE_ATTACKS: readonly InsideAttack[] = [
  ...ESCAPE_ATTACKS,
  ...KERNEL_ATTACKS,
  ...PROC_ATTACKS,
  ...CREDENTIAL_ATTACKS,
];

/** Every attack, in the order of docs/security/attacks.md. */
export const ALL_ATTACKS: readonly Attack[] = [
  ...INSIDE_ATTACKS,
  ...NETWORK_ATTACKS,
  ...BROKER_ATTACKS,
  ...FLOODS,
  ...EXHAUSTION_ATTACKS,
  ...SANDBOXD_ATTACKS,
  ...FORGED_ATTACKS,
  ...WORKSPACE_ATTACKS,
  ...SNAPSHOT_ATTACKS,
  ...SERVER_GIT_ATTACKS,
];
