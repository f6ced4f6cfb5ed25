/**
 * Whether no rule and no operator's word lets a sandbox reach the host, as a URL's `hostname` has it: names of this machine, and
 * addresses that are neither on the public internet nor in a network of somebody's own. Others may be out of reach too.
 */
export function isNeverReached(hostname: string): boolean {
  const name = hostname.replace(/\.$/, "");
  if (/(?:^|\.)localhost$/.test(name)) return true;
  if (/^\d+(?:\.\d+){3}$/.test(name)) return V4.some((net) => inNet(name.split(".").map(Number), 8, net));
  if (!name.startsWith("[")) return false;
  const groups = groupsOf(name.slice(1, -1));
  return !V6_REACHED.some((net) => inNet(groups, 16, net)) || V6_WITHIN.some((net) => inNet(groups, 16, net));
}

/** The parts that an address begins with, and how many bits of them count. */
type Net = readonly [parts: readonly number[], bits: number];

// Special-purpose space that is nobody's own (IANA registry, RFC 6890), multicast, reserved, and metadata services of clouds.
const V4: readonly Net[] = [
  [[0], 8],
  [[127], 8],
  [[169, 254], 16],
  [[192, 0, 0], 24],
  [[192, 88, 99], 24],
  [[224], 3],
  [[100, 100, 100, 200], 32],
  [[168, 63, 129, 16], 32],
];

// Global unicast and unique local addresses (RFC 4291, RFC 4193),
const V6_REACHED: readonly Net[] = [
  [[0x2000], 3],
  [[0xfc00], 7],
];

// and what is within them: IETF protocols with Teredo, 6to4, documentation of RFC 9637, metadata services of clouds.
const V6_WITHIN: readonly Net[] = [
  [[0x2001, 0], 23],
  [[0x2002], 16],
  [[0x3fff, 0], 20],
  [[0xfd00, 0xec2], 32],
  [[0xfd20, 0xce], 32],
];

function inNet(parts: readonly number[], size: 8 | 16, [start, bits]: Net): boolean {
  return parts.every((part, index) => {
    const shift = size - Math.min(size, Math.max(0, bits - index * size));
    return part >> shift === (start[index] ?? 0) >> shift;
  });
}

/** Of an address in the form that URLs give it: in hexadecimal, the longest run of zeros left out. */
function groupsOf(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const read = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [first, last] = [read(head), read(tail ?? "")];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}
