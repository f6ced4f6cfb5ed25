import { AppError } from "@handrail/protocol/errors";
import { SandboxProfile, type SandboxChoice } from "@handrail/protocol/sources";
import type { Listed } from "./listed.ts";
import { type HeldLock, isAtWork, lockedMakers, processMakers } from "./makers.ts";

/** The labels on everything that we make, so that we find it again and touch nothing else. */
export const LABEL = {
  installation: "handrail.installation",
  conversation: "handrail.conversation",
  sandbox: "handrail.sandbox",
  choice: "handrail.choice",
  /** On what has to do with a volume of programs: its name. */
  programs: "handrail.programs",
  /** What a connection to its sandboxd has to say. */
  link: "handrail.link",
  /** Who owns a workspace. */
  owner: "handrail.owner",
  /** On a volume beside which a disk may lie: its name. */
  disk: "handrail.disk",
  /** Whose the container is that mounts disks. */
  helper: "handrail.helper",
  /** On a keeper, and on the sandbox whose files it serves: the keeper's name. */
  keeper: "handrail.keeper",
  /** On an image: the installation that built it. Not the label above, which containers of the image would inherit. */
  image: "handrail.image",
  /** Who made it for the time of some work. */
  maker: "handrail.maker",
} as const;

/** The file in the volume of programs that is every sandbox's /etc/hosts. */
export const HOSTS_IN_PROGRAMS = "etc/hosts";

/** An image without files. */
export const NOTHING_IMAGE = { repository: "handrail.invalid/nothing", tag: "1" } as const;

/** What of a choice is built into a container. The network rule is not: it is looked up at each request. */
export function choiceLabel(choice: SandboxChoice): string {
  return JSON.stringify({ ...choice, network: undefined });
}

/** The profile that a container was made with. */
export function profileIn(labels: Readonly<Record<string, string>>): SandboxProfile {
  try {
    const { profile } = JSON.parse(labels[LABEL.choice] ?? "") as { readonly profile?: unknown };
    return SandboxProfile.catch("default").parse(profile);
  } catch {
    return "default";
  }
}

/** Names of what one installation makes in a daemon that others use too. */
export type MadeNames = ReturnType<typeof madeNames>;

/**
 * `held`: what only one process of the installation holds at a time; undefined: processes are told by their ids.
 * @throws AppError `config_invalid` for an installation id that Docker would not take as part of a name
 */
export function madeNames(installation: string, held?: HeldLock) {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(installation)) {
    throw new AppError("config_invalid", "An installation id is made of a-z, 0-9 and -.", { installation });
  }
  const makers = held === undefined ? processMakers() : lockedMakers(held);
  const of = (conversationId: string) => `handrail-${installation}-${conversationId}`;
  return {
    installation,
    container: of,
    workspace: (conversationId: string) => `${of(conversationId)}-ws`,
    /** sandboxd's memory and the home directory. */
    state: (conversationId: string) => `${of(conversationId)}-state`,
    /** What says who the users of a sandbox on volumes are. */
    users: (conversationId: string) => `${of(conversationId)}-users`,
    /** An empty volume that a workspace's disk lies beside. */
    disk: (conversationId: string) => `${of(conversationId)}-disk`,
    /** The container that serves the files beside a volume. */
    keeper: (volume: string) => `${volume}-keeper`,
    /** The container through which a volume is filled. */
    carrier: (volume: string) => `${volume}-carrier`,
    /** An empty volume whose being there says that the other one is filled. */
    whole: (volume: string) => `${volume}-whole`,
    /** What names of volumes with programs of a version begin with. */
    programs: (version: string) => `handrail-${installation}-programs-${version}`,
    /** A volume beside which disks are tried. */
    probe: (id: string) => `handrail-${installation}-probe-${id}`,
    labels: (conversationId: string) => ({
      [LABEL.installation]: installation,
      [LABEL.conversation]: conversationId,
    }),
    /** The label of what this process makes for the time of some work. Whoever finds it can tell whether that goes on. */
    madeHere: (): Readonly<Record<string, string>> => ({ [LABEL.maker]: makers.own }),
    /** Whether who made it may still be at work with it. */
    isAtWork: ({ labels, ...made }: Made, nowMs: number) =>
      isAtWork(makers, { ...made, maker: labels[LABEL.maker] }, nowMs),
  };
}

type Made = Pick<Listed, "labels" | "state" | "createdAtMs">;
