import { BlockList, isIP } from "node:net";

// IANA IPv4 special-purpose registry (RFC 6890 and its updates), multicast and reserved space.
const V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
  // The platform service of one large cloud, on a public address.
  ["168.63.129.16", 32],
];

// Inside global unicast (2000::/3): IETF protocols with Teredo, documentation, 6to4 (RFC 6890, RFC 9637).
const V6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const special = new BlockList();
for (const [net, prefix] of V4) special.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of V6) special.addSubnet(net, prefix, "ipv6");

const unicast = new BlockList();
unicast.addSubnet("2000::", 3, "ipv6");

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * Whether the address belongs to a host of the public internet. All else is refused: this machine and its networks,
 * metadata services, multicast, and IPv6 forms that carry an IPv4 address (mapped, NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, "ipv4");
  return family === 6 && !address.includes("%") && unicast.check(address, "ipv6") && !special.check(address, "ipv6");
}

// Networks that are somebody's own: private use (RFC 1918), carrier grade NAT (RFC 6598), benchmarks (RFC 2544, which
// some resolvers answer with), documentation (RFC 5737, RFC 3849) and unique local addresses (RFC 4193).
const OWN: readonly (readonly [string, number, "ipv4" | "ipv6"])[] = [
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["2001:db8::", 32, "ipv6"],
  ["fc00::", 7, "ipv6"],
];

// Metadata services of clouds inside those networks.
const METADATA: readonly (readonly [string, number, "ipv4" | "ipv6"])[] = [
  ["100.100.100.200", 32, "ipv4"],
  ["fd00:ec2::", 32, "ipv6"],
  ["fd20:ce::", 32, "ipv6"],
];

const own = new BlockList();
for (const [net, prefix, family] of OWN) own.addSubnet(net, prefix, family);

const metadata = new BlockList();
for (const [net, prefix, family] of METADATA) metadata.addSubnet(net, prefix, family);

/** Whether the address is in a private network that a machine may serve in, in its plain form; no metadata service is. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes("%") || /^::ffff:/i.test(address)) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  return own.check(address, kind) && !metadata.check(address, kind);
}

/** Whether the address is this machine's loopback, in its plain form. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes("%") || /^::ffff:/i.test(address)) return false;
  return loopback.check(address, family === 4 ? "ipv4" : "ipv6");
}
