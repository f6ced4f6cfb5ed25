import { listed, type NetworkAttack } from "./network-attacks.ts";

/** Tries to end the server by what a client sends. */
export const ENDINGS: readonly NetworkAttack[] = [
  listed(
    "pipelined-close",
    "end the broker by requests that wait for an answer of a host which closes",
    "one request after the other, and no error without a place to go",
    `
for more in (get("/second", LISTED) * 3, get("/second", LISTED, "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\n"), get("/second", LISTED) * 500):
    s = dial(); s.sendall(("CONNECT %s HTTP/1.1\\r\\n\\r\\n" % LISTED).encode())
    if b" 200 " not in s.recv(4096): breach("no tunnel")
    try: s.sendall((get("/close", LISTED) + more).encode())
    except OSError: pass
    if "REACHED /second" in rest(s): breach("a request after the end was answered")
answer = ask(get("http://%s/hello" % LISTED, LISTED))
held("still there") if "REACHED /hello" in answer else breach(answer)`,
  ),
  listed(
    "opened-nonsense",
    "end the broker by what is no request within TLS that it opens",
    "connections that end when nothing is read from them any more",
    `
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
host = "opened.example:%d" % OPENED
for request in ("\\0\\1\\r\\n\\r\\n", "CONNECT other.example:80 HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % host, "POST / HTTP/1.1\\r\\nHost: %s\\r\\nContent-Length: 500\\r\\n\\r\\nhello" % host):
    for _ in range(5):
        s = dial(); s.sendall(("CONNECT %s HTTP/1.1\\r\\n\\r\\n" % host).encode())
        if b" 200 " not in s.recv(4096): breach("no tunnel")
        t = context.wrap_socket(s, server_hostname="opened.example")
        try: t.sendall(request.encode()); t.unwrap()
        except (OSError, ssl.SSLError): pass
        t.close()
answer = ask(get("http://%s/hello" % LISTED, LISTED))
held("still there") if "REACHED /hello" in answer else breach(answer)`,
  ),
  listed(
    "handshake-end",
    "end the broker by going just when it has reached a host by TLS",
    "connections that end only once Node has read from them",
    `
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
host, made = "opened.example:%d" % OPENED, 0
for attempt in range(200):
    s = dial(); s.sendall(("CONNECT %s HTTP/1.1\\r\\n\\r\\n" % host).encode())
    if b" 200 " not in s.recv(4096): breach("no tunnel")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    t = context.wrap_socket(s, server_hostname="opened.example")
    made += 1; time.sleep(attempt % 20 / 4000); t.close()
answer = ask(get("http://%s/hello" % LISTED, LISTED))
held("still there") if "REACHED /hello" in answer and made == 200 else breach(answer)`,
  ),
];

/** Attacks that use the broker up; others are asked for meanwhile. */
export const FLOODS: readonly NetworkAttack[] = [
  listed(
    "huge-head",
    "send endless headers",
    "a limit of 16 kB for a head",
    `
s = dial(); s.settimeout(20)
try:
    s.sendall(b"GET http://allowed.example/ HTTP/1.1\\r\\n")
    for n in range(4000): s.sendall(b"X-%d: " % n + b"y" * 1000 + b"\\r\\n")
except OSError: held("cut off")
gate(rest(s))`,
  ),
  listed(
    "slow-heads",
    "hold connections open with heads that never end",
    "64 connections for a conversation, and a time for a head",
    `
slow, gone, until, answer = [], set(), time.monotonic() + 40, ""
def begin():
    slow.append(dial())
    try: slow[-1].sendall(b"GET http://allowed.example/ HTTP/1.1\\r\\nX: ")
    except OSError: pass
def settle(): # those beyond the limit are told so, or cut off
    time.sleep(0.7)
    gone.update(select.select([s for s in slow if s not in gone], [], [], 0)[0])
    return len(slow) - len(gone)
for _ in range(100): begin()
settle()
while time.monotonic() < until: # those of before end, and make room
    for _ in range(16): begin()
    count, refused = settle(), [s for s in slow[-16:] if s in gone]
    if not refused or not 32 < count <= 64: continue
    answer = rest(refused[-1])
    if code(answer) == "too_many_connections" or answer == "": held(code(answer))
breach("%d connections are held: %s" % (settle(), answer))`,
  ),
  listed(
    "many-connections",
    "open ten thousand connections",
    "64 connections for a conversation",
    `
opened = 0
for _ in range(100):
    batch = []
    for _ in range(100):
        try: batch.append(dial()); opened += 1
        except OSError: pass
    for s in batch: s.close()
held("%d opened" % opened) if opened > 5000 else breach("not tried: %d" % opened)`,
  ),
];
