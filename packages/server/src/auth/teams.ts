import type { Config } from "../config.ts";
import { LOCAL_USER } from "./identify.ts";

/** Ids of the teams that a user belongs to now. */
export type TeamsOf = (userId: string) => readonly string[];

/** The one user of a server without accounts belongs to all of its teams. */
export const teamsFrom =
  ({ teams }: Pick<Config, "teams">): TeamsOf =>
  (userId) =>
    userId === LOCAL_USER ? teams : [];

/** Whose rules, secrets and budget hold for a conversation; of `teamId` only while its owner belongs to that team. */
export type Holder = { readonly ownerId: string; readonly teamId: string | null };

/** Takes away a team that the owner has left: its rules and secrets hold no longer. */
export function holderNow({ ownerId, teamId }: Holder, teamsOf: TeamsOf): Holder {
  return { ownerId, teamId: teamId !== null && teamsOf(ownerId).includes(teamId) ? teamId : null };
}
