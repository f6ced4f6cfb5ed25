import { ENDINGS } from "./broker-strain-attacks.ts";
import { listed, type NetworkAttack, PUBLIC_ONLY } from "./network-attacks.ts";

const ONE_REQUEST = "one request for each connection, and a strict parser";
const WHOLE_NAME = "hosts compared whole, in one form";

const DECEIT: readonly NetworkAttack[] = [
  listed(
    "rebinding",
    "let an allowed name lead elsewhere between the check and the connection",
    "resolved once; what was checked is dialled",
    `
seen = set()
for _ in range(20):
    answer = ask(get("http://rebind.suffix.example:%d/" % PORT, "rebind.suffix.example:%d" % PORT))
    seen.add("first address" if "REACHED" in answer else code(answer))
held(sorted(seen)) if seen == {"first address", "address_forbidden"} else breach(sorted(seen))`,
  ),
  listed(
    "mixed-answer",
    "hide a private address among public ones",
    "one address that is not public refuses the host",
    `gate(ask(get("http://mixed.suffix.example:%d/" % PORT, "mixed.suffix.example:%d" % PORT)))`,
  ),
  listed(
    "redirect",
    "be redirected from an allowed host to the metadata service",
    "each request is checked, redirects are the client's",
    `
child = subprocess.run(["curl", "-s", "-L", "-m", "20", "-D", "-", "http://allowed.example:%d/redirect" % PORT], capture_output=True, env={**os.environ, "no_proxy": "", "NO_PROXY": ""})
answer = child.stdout.decode("latin1")
held(code(answer)) if "302" in answer and code(answer) in ("host_not_allowed", "address_forbidden") and "REACHED" not in answer else breach(answer)`,
  ),
  listed(
    "sni",
    "ask an allowed host's address for another host by TLS",
    "the TLS name compared with the tunnel's",
    `
s = dial(); s.sendall(("CONNECT allowed.example:%d HTTP/1.1\\r\\n\\r\\n" % TLS).encode())
if b" 200 " not in s.recv(4096): breach("no tunnel")
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
try: context.wrap_socket(s, server_hostname="other.example")
except (OSError, ssl.SSLError) as e: held("cut off") if "REACHED" not in str(e) else breach(e)
breach("handshake")`,
  ),
  listed(
    "host-header",
    "ask an allowed host's address for another host by the Host header",
    "Host compared with the address asked for",
    `gate(ask(get("http://%s/" % LISTED, "other.example")))`,
  ),
  listed(
    "tunnelled-host",
    "ask an allowed host's address for another host by plain HTTP in a tunnel",
    "plain HTTP in a tunnel is checked request by request",
    `
opening = ("CONNECT %s HTTP/1.1\\r\\n\\r\\n" % LISTED, b"\\x05\\x01\\x00\\x05\\x01\\x00\\x03\\x0fallowed.example" + struct.pack(">H", PORT))
for first in opening:
    for request in (get("/", "other.example"), "\\r\\n" + get("/", "other.example"), get("/", "other.example").replace("\\r\\n", "\\n"), get("/ok", LISTED).replace("Connection: close\\r\\n", "") + get("/", "other.example")):
        s = dial(); s.sendall(first if isinstance(first, bytes) else first.encode()); s.sendall(request.encode())
        answer = rest(s)
        if "other.example" in answer: breach(answer)
held("refused")`,
  ),
  listed(
    "two-hosts",
    "send two Host headers, of which the host might take the second",
    "the broker writes Host itself",
    `
answer = ask(get("http://%s/" % LISTED, LISTED, "Host: other.example\\r\\n"))
held(code(answer) or "one host arrived") if "other.example" not in answer and (code(answer) or "for allowed.example" in answer) else breach(answer)`,
  ),
  listed(
    "connect-lines",
    "smuggle a second host into CONNECT by line ends",
    ONE_REQUEST,
    `
for text in ("CONNECT other.example:80\\rX: allowed.example:%d HTTP/1.1\\r\\n\\r\\n", "CONNECT other.example:80\\n HTTP/1.1\\r\\nHost: allowed.example:%d\\r\\n\\r\\n", "CONNECT\\tother.example:80#@allowed.example:%d HTTP/1.1\\r\\n\\r\\n"):
    answer = ask(text % PORT)
    if " 200 " in answer or "REACHED" in answer: breach(answer)
held("refused")`,
  ),
  listed(
    "user-part",
    "write a refused host so that the allowed one seems to be meant",
    WHOLE_NAME,
    `
for url in ("http://%s@other.example/", "http://other.example\\\\@%s/", "http://other.example#@%s/", "http://%s%%2eother.example/", "http://other.example?@%s/"):
    answer = ask(get(url % LISTED, LISTED))
    if "REACHED" in answer or not code(answer): breach(url + answer)
held("refused")`,
  ),
  listed(
    "lookalike",
    "use names that only look allowed",
    WHOLE_NAME,
    `all_refused(["%s:%d" % (n, PORT) for n in ("evilallowed.example", "allowed.example.evil.example", "suffix.example", "evilsuffix.example", "xallowed.example")], "host_not_allowed")`,
  ),
  listed(
    "port",
    "use another port of an allowed host",
    "rules name ports",
    `all_refused(["allowed.example:22", "allowed.example:%d" % HIDDEN], "port_not_allowed")`,
  ),
  listed(
    "origin-form",
    "send requests that only servers take, not proxies",
    "only whole addresses are taken",
    `gate(ask(get("/", "other.example")))`,
  ),
];

const SMUGGLING: readonly NetworkAttack[] = [
  listed(
    "cl-te",
    "hide a request behind a length and chunks (CL.TE)",
    ONE_REQUEST,
    `
answer = ask("POST http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\nContent-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET http://other.example/smuggled HTTP/1.1\\r\\n\\r\\n" % (LISTED, LISTED))
held(code(answer) or "cut off") if "smuggled" not in answer and answer.count("HTTP/1.1 ") <= 1 and "REACHED" not in answer else breach(answer)`,
  ),
  listed(
    "te-cl",
    "hide a request in odd kinds of transfer coding (TE.CL, TE.TE)",
    ONE_REQUEST,
    `
for coding in ("Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding:\\x0bchunked"):
    answer = ask("POST http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\n%s\\r\\nContent-Length: 4\\r\\n\\r\\n1\\r\\nZ\\r\\n0\\r\\n\\r\\n" % (LISTED, LISTED, coding))
    if "REACHED" in answer: breach(coding)
held("refused")`,
  ),
  listed(
    "two-lengths",
    "give two lengths",
    ONE_REQUEST,
    `gate(ask("POST http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\nContent-Length: 0\\r\\nContent-Length: 40\\r\\n\\r\\nGET http://other.example/ HTTP/1.1\\r\\n\\r\\n" % (LISTED, LISTED)))`,
  ),
  listed(
    "folded-line",
    "hide a header in a folded line",
    ONE_REQUEST,
    `gate(ask("GET http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\n other.example\\r\\n\\r\\n" % (LISTED, LISTED)))`,
  ),
  listed(
    "pipelined",
    "send a request to a refused host behind one to an allowed host",
    ONE_REQUEST,
    `
answer = ask(get("http://%s/" % LISTED, LISTED) + get("http://loop.example:%d/second" % HIDDEN, "loop.example"))
if "REACHED" not in answer: breach("the first had no answer: " + answer)
held("one answer") if answer.count("HTTP/1.1 ") == 1 and "second" not in answer else breach(answer)`,
  ),
  listed(
    "websocket",
    "open a WebSocket to a refused host",
    "upgrades are requests like others",
    `gate(ask(get("http://loop.example:%d/" % HIDDEN, "loop.example:%d" % HIDDEN, "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Version: 13\\r\\n")))`,
  ),
  listed(
    "fake-upgrade",
    "ask for an upgrade that the host refuses, then talk to whom it likes",
    ONE_REQUEST,
    `
answer = ask(get("http://%s/" % LISTED, LISTED, "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Version: 13\\r\\n", get("http://loop.example/second", "loop.example")))
held("one answer") if answer.count("HTTP/1.1 ") <= 1 and "second" not in answer else breach(answer)`,
  ),
  listed(
    "socks-udp",
    "send datagrams by SOCKS, or listen by it",
    "only CONNECT is served",
    `
for command in (2, 3):
    answer = ask(b"\\x05\\x01\\x00\\x05" + bytes([command]) + b"\\x00\\x01\\x08\\x08\\x08\\x08\\x00\\x35")
    if answer[2:4] != "\\x05\\x07": breach(repr(answer))
held("command not supported")`,
  ),
  listed(
    "socks-address",
    "reach the metadata service and the host by SOCKS",
    PUBLIC_ONLY,
    `
for target in (b"\\x01\\xa9\\xfe\\xa9\\xfe", b"\\x04" + bytes(10) + b"\\xff\\xff\\xa9\\xfe\\xa9\\xfe", b"\\x03\\x10metadata.example", b"\\x03\\x0cother.exampl"):
    answer = ask(b"\\x05\\x01\\x00\\x05\\x01\\x00" + target + b"\\x00\\x50")
    if len(answer) < 4 or answer[3] != "\\x02": breach(repr(answer))
held("not allowed by ruleset")`,
  ),
  listed(
    "socks-name",
    "hide a host in a SOCKS name by zero bytes and line ends",
    WHOLE_NAME,
    `
for name in (b"allowed.example\\x00.evil", b"other.example\\r\\nallowed.example", b"allowed.example@other", b"other.example/allowed.example"):
    answer = ask(b"\\x05\\x01\\x00\\x05\\x01\\x00\\x03" + bytes([len(name)]) + name + struct.pack(">H", PORT))
    if len(answer) >= 4 and answer[3] == "\\x00" or "REACHED" in answer: breach(repr(name))
held("refused")`,
  ),
  listed(
    "socks4",
    "use SOCKS4, which has no checks of names",
    "only HTTP and SOCKS5 are served",
    `
answer = ask(b"\\x04\\x01" + struct.pack(">H", HIDDEN) + b"\\x7f\\x00\\x00\\x01\\x00")
held("refused") if "REACHED" not in answer and not answer.startswith("\\x00\\x5a") else breach(repr(answer))`,
  ),
];

/** Requests that say one thing and mean another. */
export const BROKER_ATTACKS: readonly NetworkAttack[] = [...DECEIT, ...SMUGGLING, ...ENDINGS];
