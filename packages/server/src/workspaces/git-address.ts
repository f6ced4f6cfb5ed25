import { isAbsolute } from "node:path";
import { AppError } from "@handrail/protocol/errors";

/**
 * Refuses addresses that git would take for something else than a repository elsewhere: options, helpers that run
 * programs (`ext::`), and, unless `local`, places on this machine. Takes `https`, `http`, `ssh`, `git` and `file` URLs,
 * `user@host:path`, and absolute paths.
 * @throws AppError `source_invalid`
 */
export function checkGitAddress(url: string, local: boolean): void {
  if (/[\p{Cc}\s]/u.test(url) || url.startsWith("-") || url.includes("::")) throw invalid("That is not a git address.");
  if (isAbsolute(url)) return requireLocal(local);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return checkUrl(url, local);
  if (!SCP_LIKE.test(url)) throw invalid("Give the whole address, such as https://example.org/team/project.git.");
}

/** `user@host:path`, as git's URLs page has it. */
const SCP_LIKE = /^(?:[a-z0-9._][a-z0-9._-]*@)?[a-z0-9][a-z0-9.-]*:[^-:][^:]*$/i;

function checkUrl(url: string, local: boolean): void {
  if (!URL.canParse(url)) throw invalid("That is not a git address.");
  const { protocol, username, password, hostname } = new URL(url);
  if (protocol === "file:") return requireLocal(local);
  if (!["https:", "http:", "ssh:", "git:"].includes(protocol))
    throw invalid(`Handrail does not clone over ${protocol}//`);
  if (password !== "" || (protocol.startsWith("http") && username !== "")) {
    throw invalid("The address carries a password. Leave it out and let the server's own git credentials sign in.");
  }
  if (hostname === "" || hostname.startsWith("-")) throw invalid("The address names no host.");
}

function requireLocal(local: boolean): void {
  if (!local) throw invalid("Repositories on the server's machine are not allowed here.");
}

/** @throws AppError `source_invalid` for a branch name that git would refuse or take for an option */
export function checkBranchName(branch: string): void {
  const bad =
    /^[-/.]|[\p{Cc}\s~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[/.]$|^@$/u.test(branch) || branch.length > 200;
  if (bad) throw invalid(`${JSON.stringify(branch.slice(0, 100))} cannot be a branch's name.`);
}

const invalid = (message: string) => new AppError("source_invalid", message);
