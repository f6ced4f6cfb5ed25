import { SANDBOXD_PROTOCOL } from "@handrail/protocol/sandboxd/frames";
import type { InsideAttack } from "../attack.ts";

/** An attack with what belongs to another sandbox. `TOKENS` are other sandboxes' tokens, `NEIGHBOUR` is such a one. */
export type ForgedAttack = InsideAttack & {
  /** Does it with the sandbox's own token too, where it succeeds: that shows that the attack is one. */
  readonly own?: true;
};

const LINK = `
SOCKETS = glob.glob("/handrail-link/*.sock") + ["\\0" + l.split("@")[-1].strip() for l in open("/proc/net/unix") if "@handrail" in l]
def frame(message):
    data = json.dumps(message).encode(); return struct.pack(">II", len(data), 0) + data
def taken(path, first):
    """Whether who says this first is listened to: it is neither refused nor let go."""
    s = socket.socket(socket.AF_UNIX); s.settimeout(5)
    try:
        s.connect(path); s.sendall(first); got = s.recv(1000)
    except TimeoutError: return True
    except OSError: return False
    return got != b"" and b'"refused"' not in got
if not SOCKETS or not TOKENS: say("NOTHING", "%s sockets, %s tokens" % (len(SOCKETS), len(TOKENS)))
`;

const TOKEN = "each start of a sandbox has a token of its own, which its socket alone takes";
const OWN_SOCKET = "a socket of its own for each sandbox, which is all that there is to reach";
const BY_CONNECTION = "whose request it is says the connection that it comes by, and nothing in it";

/** Calls and connections forged in another sandbox's name. */
export const FORGED_ATTACKS: readonly ForgedAttack[] = [
  {
    id: "forged.link-token",
    tries: "connect as sandboxd or as the server with the token of another sandbox",
    stoppedBy: TOKEN,
    own: true,
    script: `${LINK}
for token in TOKENS:
    for path in SOCKETS:
        hello = token.encode() if path[0] == "/" else frame({"type": "hello", "protocol": ${SANDBOXD_PROTOCOL}, "token": token})
        if taken(path, hello): breach("taken")
held("%d tokens refused" % len(TOKENS))`,
  },
  {
    id: "forged.frames",
    tries: "send calls, outcomes and channels without the greeting, or before it",
    stoppedBy: TOKEN,
    script: `${LINK}
sent = 0
messages = ({"type": "call", "id": "k_" + "0" * 20, "operation": "process.run", "args": {"argv": ["touch", "/tmp/forged"], "timeoutMs": 1000, "capBytes": 10}}, {"type": "ended", "id": "k_" + "0" * 20, "outcome": {"ok": True, "result": {}}}, {"type": "channel.open", "channel": 1, "kind": "egress"}, {"type": "welcome", "protocol": ${SANDBOXD_PROTOCOL}, "version": "1", "bootId": "x", "workspace": "/", "user": "x", "shell": "/bin/sh", "git": True})
for path in SOCKETS:
    for message in messages:
        sent += 1
        # Long enough to count as a token, should it be taken for one.
        if taken(path, frame(message) + b" " * 64): breach(message["type"])
held("%d sent" % sent) if not os.path.exists("/tmp/forged") else breach("it ran")`,
  },
  {
    id: "forged.other-socket",
    tries: "reach the sockets of other sandboxes, by their paths on the host and by their names",
    stoppedBy: OWN_SOCKET,
    script: `
tried = 0
for path in PATHS + ["\\0handrail-sandboxd", "\\0" + NEIGHBOUR]:
    s = socket.socket(socket.AF_UNIX); s.settimeout(1)
    mine = path[0] == "\\0" and any(l.strip().endswith("@" + path[1:]) for l in open("/proc/net/unix"))
    tried += 1
    try: s.connect(path)
    except OSError: continue
    if not mine: breach(path)
held("%d tried" % tried)`,
  },
  {
    id: "forged.request",
    tries: "make a request to the broker in the name of another conversation",
    stoppedBy: BY_CONNECTION,
    script: `
import base64
who = base64.b64encode((NEIGHBOUR + ":" + (TOKENS + ["x"])[0]).encode()).decode()
heads = "Proxy-Authorization: Basic %s\\r\\nX-Handrail-Conversation: %s\\r\\nX-Forwarded-For: %s\\r\\n" % (who, NEIGHBOUR, NEIGHBOUR)
for first in (("CONNECT %s.example:443 HTTP/1.1\\r\\nHost: x\\r\\n%s\\r\\n" % (NEIGHBOUR[:8], heads)).encode(), b"\\x05\\x01\\x02", ("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\\r\\n").encode()):
    s = socket.socket(); s.settimeout(5); s.connect(("127.0.0.1", 3128)); s.sendall(first)
    try: s.recv(1000)
    except OSError: pass
held("sent")`,
  },
];
