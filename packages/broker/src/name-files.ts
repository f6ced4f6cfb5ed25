import { readFile } from "node:fs/promises";
import { isIP } from "node:net";

/** What a system's files say of names, each as the text that is in it; empty where there is none. */
export type NameFiles = {
  /** hosts(5) */
  readonly hosts: string;
  /** resolv.conf(5) */
  readonly resolver: string;
  /** nsswitch.conf(5) */
  readonly sources: string;
};

/** As they are now. */
export async function readNameFiles(): Promise<NameFiles> {
  const text = (path: string) => readFile(path, "utf8").catch(() => "");
  const [hosts, resolver, sources] = await Promise.all(
    ["/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"].map(text),
  );
  return { hosts: hosts ?? "", resolver: resolver ?? "", sources: sources ?? "" };
}

/**
 * Sources of names that need not be asked beside the file of hosts and the name servers: they know this machine alone, which
 * no sandbox reaches, or the servers of `resolv.conf` say the same. `mdns…` is asked for names in `.local` only.
 */
const SPARED = /^(?:files|dns|myhostname|mymachines|resolve|mdns\w*|\[.*\])$/;

/** Whether the file of hosts and the name servers know all that the system knows of this name. */
export function namesAreKnownBy({ sources }: Pick<NameFiles, "sources">, name: string): boolean {
  const [, line] = /^hosts:(.*)$/m.exec(sources.replaceAll(/#.*$/gm, "")) ?? [];
  // Where nothing is said the C library asks these two.
  const words = (line?.match(/\[[^\]]*\]|\S+/g) ?? ["files", "dns"]).map(String);
  const isMulticast = name.endsWith(".local") && words.some((word) => word.startsWith("mdns"));
  return words.includes("files") && words.includes("dns") && words.every((word) => SPARED.test(word)) && !isMulticast;
}

/** The addresses that the file of hosts has for a name. */
export function addressesIn({ hosts }: Pick<NameFiles, "hosts">, name: string): readonly string[] {
  const rows = hosts.split("\n").map((line) => line.replace(/#.*$/, "").trim().split(/\s+/));
  const wanted = name.toLowerCase().replace(/\.$/, "");
  const named = rows.filter(([, ...names]) => names.some((each) => each.toLowerCase() === wanted));
  return [...new Set(named.map(([address = ""]) => address))].filter((address) => isIP(address) !== 0);
}

/** What a name is asked for as, in order, by the search list of resolv.conf. */
export function searchedNames({ resolver }: Pick<NameFiles, "resolver">, name: string): readonly string[] {
  if (name.endsWith(".")) return [name];
  const lines = resolver.split("\n").map((line) => line.trim().split(/\s+/));
  const last = (...keys: readonly string[]) => lines.findLast(([key = ""]) => keys.includes(key))?.slice(1) ?? [];
  const searched = last("search", "domain").map((domain) => `${name}.${domain.replace(/^\.|\.$/g, "")}`);
  const dots = last("options").findLast((option) => option.startsWith("ndots:"));
  const isWhole = name.split(".").length - 1 >= Number(dots?.slice(6) ?? 1);
  return isWhole ? [name, ...searched] : [...searched, name];
}
