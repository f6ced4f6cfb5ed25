/** Addresses of the loopback that stand for names of hosts, while the sandbox lives. */
export type GivenAddresses = {
  /** The address of a name; undefined when it is no name of a public host, or all addresses are given. */
  readonly addressOf: (name: string) => string | undefined;
  readonly nameOf: (address: string) => string | undefined;
};

const MOST = 4096;
const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(String.raw`^${LABEL}(?:\.${LABEL})+$`);
/** Names that are no host's on the internet. Source: RFC 6761, RFC 8375 and RFC 9476 */
const LOCAL = /\.(?:localhost|local|internal|arpa|invalid|onion|alt)$/;

/** None is taken back: a program may keep one for as long as it likes. */
export function givenAddresses(): GivenAddresses {
  const addresses = new Map<string, string>();
  const names = new Map<string, string>();
  return {
    addressOf: (text) => {
      const name = text.toLowerCase();
      const known = addresses.get(name);
      if (known !== undefined) return known;
      if (addresses.size >= MOST || name.length > 253 || !NAME.test(name) || LOCAL.test(name)) return undefined;
      const number = addresses.size + 1;
      const address = `127.64.${number >> 8}.${number & 255}`;
      addresses.set(name, address);
      names.set(address, name);
      return address;
    },
    nameOf: (address) => names.get(address),
  };
}
