import { encodeFrame, SANDBOXD_PROTOCOL } from "@handrail/protocol/sandboxd/frames";
import type { FromSandboxd } from "@handrail/protocol/sandboxd/from-sandboxd";

/** What sandboxd says first. */
export const WELCOME: FromSandboxd = {
  type: "welcome",
  protocol: SANDBOXD_PROTOCOL,
  version: "0",
  bootId: "b",
  workspace: "/w",
  user: "u",
  shell: "sh",
  git: false,
};

/** A message as it travels. */
export const frameOf = (message: FromSandboxd): Uint8Array =>
  encodeFrame({ channel: 0, payload: new TextEncoder().encode(JSON.stringify(message)) });
