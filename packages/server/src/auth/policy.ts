import { AppError } from "@handrail/protocol/errors";
import type { RouteName } from "@handrail/protocol/routes";
import type { Identity } from "./identify.ts";

/** `anyone`: no session. `user`: any signed-in user. `owner`: who owns the conversation that the path names. */
type Rule = "anyone" | "user" | "owner";

/** Who may call what. A route without a row here does not compile, and one that is not here is refused. */
const RULES: Readonly<Record<RouteName, Rule>> = {
  signIn: "anyone",
  healthz: "anyone",
  readyz: "anyone",
  session: "user",
  signOut: "user",
  createSignInToken: "user",
  settings: "user",
  saveModel: "user",
  removeModel: "user",
  testModel: "user",
  doctor: "user",
  folders: "user",
  secrets: "user",
  saveSecret: "user",
  removeSecret: "user",
  setups: "user",
  forgetSetups: "user",
  forgetSetup: "user",
  conversations: "user",
  createConversation: "user",
  uploadBlob: "user",
  conversation: "owner",
  changeConversation: "owner",
  deleteConversation: "owner",
  events: "owner",
  addMessage: "owner",
  stopRun: "owner",
  continueRun: "owner",
  blob: "owner",
  networkRules: "user",
  addNetworkRule: "user",
  removeNetworkRule: "user",
  answerAsk: "owner",
  changes: "owner",
  changedFile: "owner",
  patch: "owner",
  files: "owner",
  file: "owner",
  terminals: "owner",
  deliver: "owner",
  ports: "owner",
  openPreview: "owner",
  shares: "owner",
  sharePreview: "owner",
  endShare: "owner",
  gatewayModels: "user",
  addGatewayModel: "user",
  changeGatewayModel: "user",
  removeGatewayModel: "user",
  testGatewayModel: "user",
  gatewayKeys: "user",
  createGatewayKey: "user",
  changeGatewayKey: "user",
  rotateGatewayKey: "user",
  importGatewayKeys: "user",
  revokeGatewayKey: "user",
  gatewayOwners: "user",
  saveGatewayOwner: "user",
  gatewaySpend: "user",
  gatewaySpendCsv: "user",
  gatewayCalls: "user",
  checkpoints: "owner",
  createCheckpoint: "owner",
  checkpointChanges: "owner",
  checkpointFile: "owner",
  restoreCheckpoint: "owner",
  forkConversation: "owner",
};

export type OwnerOf = (conversationId: string) => Promise<string>;

/**
 * Refuses what the rule of the route does not allow. A conversation of somebody else looks like none.
 * @throws AppError `not_signed_in`, `forbidden`, `conversation_not_found`
 */
export async function authorise(
  name: RouteName,
  identity: Identity | undefined,
  conversationId: string | undefined,
  ownerOf: OwnerOf,
): Promise<void> {
  const rule: Rule | undefined = RULES[name];
  if (rule === "anyone") return;
  if (identity === undefined) throw new AppError("not_signed_in", SIGN_IN);
  if (rule === "user") return;
  if (rule !== "owner" || conversationId === undefined) throw new AppError("forbidden", "This is not allowed.");
  await requireOwner(conversationId, identity, ownerOf);
}

/** @throws AppError `conversation_not_found` when there is none, or it is not the user's */
export async function requireOwner(conversationId: string, identity: Identity, ownerOf: OwnerOf): Promise<void> {
  const ownerId = await ownerOf(conversationId);
  if (ownerId !== identity.userId) throw new AppError("conversation_not_found", "There is no such conversation.");
}

/** @throws AppError `forbidden` unless the user belongs to the team; none is always right */
export function requireTeam(teamId: string | null | undefined, { teams }: Pick<Identity, "teams">): void {
  if (teamId === null || teamId === undefined || teams.includes(teamId)) return;
  throw new AppError("forbidden", `You belong to no team ${teamId}.`, { field: "teamId" });
}

const SIGN_IN =
  "Sign in with the link that Handrail printed when it started, or get a new one with `npx handrail open`.";
