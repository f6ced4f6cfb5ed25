import { AppError } from "@handrail/protocol/errors";
import type { Share } from "@handrail/protocol/preview-routes";
import type { Identity } from "../auth/identify.ts";
import type { Sessions } from "../auth/sessions.ts";
import { hashOf } from "../auth/sign-in-tokens.ts";
import type { OwnerOf } from "../auth/policy.ts";
import type { Pass, Passes } from "./passes.ts";
import type { PreviewAddress, PreviewPlace } from "./preview-address.ts";
import { openPath } from "./open-path.ts";
import type { Shares, StoredShare } from "./shares.ts";

/** Who may see what sandboxes serve, and how. */
export type Previews = {
  /**
   * A link that opens the port in the browser of who asked; good for a minute.
   * @throws AppError `bad_request` for a port of Handrail's own
   */
  open(place: PreviewPlace, identity: Identity, path: string): string;
  /** @throws AppError `bad_request` for a port of Handrail's own */
  share(place: PreviewPlace, hours: number): Promise<Share>;
  shares(conversationId: string): Share[];
  endShare(conversationId: string, shareId: string): Promise<void>;
  /** Whether what gave this pass still stands. */
  admits(pass: Pass): Promise<boolean>;
};

export type PreviewParts = {
  /** Undefined: there is no way to show previews. */
  readonly address: () => PreviewAddress | undefined;
  readonly passes: Passes;
  readonly shares: Shares;
  readonly sessions: Pick<Sessions, "isAlive">;
  readonly ownerOf: OwnerOf;
  /** Ports that Handrail itself holds in every sandbox. */
  readonly ownPorts: readonly number[];
  readonly now: () => number;
};

const LINK_MS = 60_000;
const HOUR_MS = 3_600_000;

export function previews(parts: PreviewParts): Previews {
  const { passes, shares, now } = parts;
  const linkTo = (pass: Pass, path = "/") => addressOf(parts).originOf(pass) + openPath(passes.sign(pass), path);
  const shown = ({ shareId, conversationId, port, expiresAt }: StoredShare): Share => {
    const pass: Pass = { kind: "link", conversationId, port, userId: "", session: "", shareId, expiresAt };
    return { shareId, port, expiresAt, url: linkTo(pass) };
  };
  return {
    open(place, identity, path) {
      requireProgram(parts, place);
      const session = identity.session === undefined ? "" : hashOf(identity.session);
      return linkTo({ ...place, kind: "link", userId: identity.userId, session, expiresAt: now() + LINK_MS }, path);
    },
    async share(place, hours) {
      requireProgram(parts, place);
      addressOf(parts);
      return shown(await shares.add({ ...place, expiresAt: now() + hours * HOUR_MS }));
    },
    shares: (conversationId) => shares.of(conversationId).map(shown),
    endShare: (conversationId, shareId) => shares.end(conversationId, shareId),
    admits: (pass) => admits(parts, pass),
  };
}

/** What Handrail itself serves in a sandbox is for the programs there alone. @throws AppError `bad_request` */
function requireProgram({ ownPorts }: PreviewParts, { port }: PreviewPlace): void {
  if (!ownPorts.includes(port)) return;
  const message = `Port ${port} is Handrail's own in the sandbox. Let the program listen on another one.`;
  throw new AppError("bad_request", message, { field: "port" });
}

async function admits({ shares, sessions, ownerOf }: PreviewParts, pass: Pass): Promise<boolean> {
  const { conversationId, port, userId, session, shareId } = pass;
  const owner = await ownerOf(conversationId).catch(() => undefined);
  if (owner === undefined) return false;
  if (shareId !== undefined) {
    const share = shares.find(shareId);
    return share?.conversationId === conversationId && share.port === port;
  }
  return owner === userId && (session === "" || sessions.isAlive(session));
}

/** @throws AppError `config_invalid` */
function addressOf({ address }: PreviewParts): PreviewAddress {
  const known = address();
  if (known !== undefined) return known;
  throw new AppError(
    "config_invalid",
    "Previews have no address on this server. Set HANDRAIL_PREVIEW_URL to one that leads to its preview port.",
  );
}
