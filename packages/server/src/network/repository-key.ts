import { resolve } from "node:path";
import type { WorkspaceSource } from "@handrail/protocol/sources";

/**
 * The one form in which a repository is compared, whichever way it was written: `git.example/me/app` for
 * `https://me@GIT.example/me/app.git/` and `git@git.example:me/app`, `/home/me/app` for a folder. Undefined for sources
 * that are nobody's repository.
 */
export function repositoryKey(source: WorkspaceSource): string | undefined {
  if (source.type === "git") return keyOf(source.url);
  return source.type === "folder" ? resolve(source.path) : undefined;
}

/** The same for an address or an absolute folder. */
export function keyOf(address: string): string {
  const text = address.trim();
  if (text.startsWith("/")) return resolve(text);
  const [host, path] = partsOf(text);
  if (host === "") return text;
  const bare = path
    .replace(/^\/+/, "")
    .replace(/\/+$/, "")
    .replace(/\.git$/, "");
  return `${host.toLowerCase()}/${bare}`;
}

/** Whether a text names a repository at all: an absolute folder, an address, or the form that they are compared in. */
export function namesRepository(text: string): boolean {
  const key = keyOf(text);
  return /^\/./.test(key) || /^(?:[^\s/.:][^\s/]*[.:][^\s/]*|localhost)\/\S/.test(key);
}

/** Of a URL, or of the short form of ssh, `user@host:path`. */
function partsOf(text: string): readonly [host: string, path: string] {
  const short = /^(?:[^@/\s]+@)?([^:/\s]+):(?!\/\/)(.+)$/.exec(text);
  if (short !== null) return [short[1] ?? "", short[2] ?? ""];
  const url = URL.parse(text);
  return [url?.host ?? "", url?.pathname ?? ""];
}

/** The host that a conversation's repository is fetched from, with its port on the web if it has one; undefined when there is none. */
export function gitHostOf(source: WorkspaceSource): string | undefined {
  if (source.type !== "git") return undefined;
  const url = URL.parse(source.url);
  const web = url !== null && /^https?:$/.test(url.protocol);
  const host = web ? url.host : (url?.hostname ?? /^(?:[^@/]+@)?([^:/]+):/.exec(source.url)?.[1]);
  return host === "" ? undefined : host;
}
