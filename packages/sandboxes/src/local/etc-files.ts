import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { UserNames } from "@handrail/protocol/sandboxd/disk-messages";
import { HOSTS, INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";

/** Names of the files in /etc that are not the host's or the image's. */
export const ETC_NAMES = ["passwd", "group", "hosts", "hostname", "nsswitch.conf", "resolv.conf"] as const;

/** Those of them that are about the network. */
export const NETWORK_ETC_NAMES = ["hosts", "hostname", "resolv.conf"] as const satisfies readonly EtcName[];

type EtcName = (typeof ETC_NAMES)[number];

/**
 * Writes the files into `directory`, readable by all. `uid` is the id of the one user as it is seen inside. Synchronous: six
 * files of some bytes, for which others would take twenty turns of the event loop.
 */
export function writeEtcFiles(directory: string, uid = SANDBOX_UID): void {
  writeTexts(directory, etcTexts(uid));
}

/** Those alone that say who the users are. */
export function writeUserNames(directory: string, uid: number): void {
  writeTexts(directory, userNames(uid));
}

function writeTexts(directory: string, texts: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(directory, name), text, { mode: 0o644 });
}

/** What says who a sandbox's users are. `uid` as it is seen inside. */
export function userNames(uid: number): UserNames {
  return {
    passwd: [
      "root:x:0:0:root:/root:/usr/sbin/nologin",
      `agent:x:${uid}:${uid}:agent:${INSIDE.home}:/bin/bash`,
      "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
      "",
    ].join("\n"),
    group: ["root:x:0:", `agent:x:${uid}:`, "nogroup:x:65534:", ""].join("\n"),
  };
}

/** What a sandbox sees of /etc: names of the one user, of the loopback, and the resolver that libc takes without another: port 53 of it. */
function etcTexts(uid: number): Readonly<Record<EtcName, string>> {
  return {
    ...userNames(uid),
    hosts: HOSTS,
    hostname: "sandbox\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "resolv.conf": "",
  };
}
