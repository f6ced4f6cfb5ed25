import { randomBytes } from "node:crypto";

/** The variable that tells sandboxd what it and the server know, and no program in the sandbox. */
const VARIABLE = "HANDRAIL_LINK_TOKEN";

/** A new token for one start of a sandbox. */
export function newLinkToken(): string {
  return randomBytes(32).toString("hex");
}

/** The environment that gives sandboxd its token; it hands it on to nobody. */
export function linkTokenEnvironment(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { [VARIABLE]: token };
}
