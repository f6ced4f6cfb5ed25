import { isIPv4 } from "node:net";

/** Whether only programs of this machine reach what listens there. A name other than `localhost` may lead anywhere. */
export function isLoopback(host: string): boolean {
  const plain = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return plain === "localhost" || plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}
