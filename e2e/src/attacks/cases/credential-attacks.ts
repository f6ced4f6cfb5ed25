import type { InsideAttack } from "../attack.ts";

const NOT_INSIDE = "no credential inside, and an environment of its own";

/** Theft of what the server, its user or another conversation knows. */
export const CREDENTIAL_ATTACKS: readonly InsideAttack[] = [
  {
    id: "credential.environment",
    tries: "find the server's secrets in the environment of any process",
    stoppedBy: NOT_INSIDE,
    control: "none",
    script: `
places = [read("/proc/%s/environ" % pid) for pid in ["self"] + pids()]
if any(SECRET.encode() in place for place in places): breach("environment")
if any(name in place for place in places for name in (b"API_KEY=", b"_TOKEN=", b"AWS_", b"GIT_ASKPASS=")): breach("a name of a secret")
held("%d environments" % len(places))`,
  },
  {
    id: "credential.daemon-memory",
    tries: "read the server's secrets out of sandboxd's memory, which runs as the same user",
    stoppedBy: "sandboxd is not dumpable, and knows no secret and nothing of other conversations",
    script: `
regions = 0
for pid in pids():
    if pid == os.getpid(): continue
    try: memory = open("/proc/%d/mem" % pid, "rb", 0)
    except OSError: continue
    for line in read("/proc/%d/maps" % pid, 2_000_000).decode("utf8", "replace").splitlines():
        span, rights = line.split()[:2]
        start, end = (int(part, 16) for part in span.split("-"))
        if not rights.startswith("rw") or end - start > 256 << 20: continue
        try:
            memory.seek(start)
            found = memory.read(end - start)
        except (OSError, ValueError, OverflowError): continue
        regions += 1
        if SECRET.encode() in found or OTHER.encode() in found: breach(line)
held("%d regions" % regions)`,
  },
  {
    id: "credential.home",
    tries: "read keys that people keep in their home: ssh, git, Docker, clouds",
    stoppedBy: "a home of its own, empty at the start",
    script: `
names = (".ssh", ".git-credentials", ".netrc", ".docker/config.json", ".aws", ".config/gcloud", ".kube/config", ".npmrc", ".pypirc", ".gnupg", ".handrail")
for home in ("/root", "/home/*", os.environ["HOME"]):
    for name in names:
        for path in glob.glob(home + "/" + name):
            if fails(lambda: os.listdir(path) if os.path.isdir(path) else open(path).close()) is None: breach(path)
held("nothing there")`,
  },
  {
    id: "credential.host-file",
    tries: "read a file of the host that anyone there may read",
    stoppedBy: "no path of the host mounted but programs and libraries",
    control: "none",
    script: `
breach(CANARY) if SECRET.encode() in read(CANARY) else held("not there")`,
  },
  {
    id: "credential.accounts",
    tries: "read names and password hashes of the machine's people",
    stoppedBy: "an /etc that names nobody of the host",
    control: "none",
    script: `
if read("/etc/shadow") or read("/etc/gshadow"): breach("shadow")
held("no hashes")`,
    dev: {
      may: "read every file of its image, which has no passwords",
      tries: "read password hashes",
      script: `
lines = (read("/etc/shadow") + read("/etc/gshadow")).decode().splitlines()
if any(len(line.split(":")[1]) > 2 for line in lines): breach("a hash")
held("%d lines without a hash" % len(lines))`,
    },
  },
  {
    id: "credential.git",
    tries: "have git hand out the user's credentials",
    stoppedBy: "no credential helper and no credential inside",
    script: `
asked = subprocess.run(["git", "credential", "fill"], input=b"protocol=https\\nhost=github.com\\n\\n", capture_output=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
breach("password") if b"password=" in asked.stdout else held("none")`,
  },
  {
    id: "credential.cluster",
    tries: "use the service account of the cluster it runs in",
    stoppedBy: "no token mounted",
    script: `
found = glob.glob("/var/run/secrets/**/token", recursive=True) + glob.glob("/run/secrets/**/*", recursive=True)
breach(found) if found or "KUBERNETES_SERVICE_HOST" in os.environ else held("none")`,
  },
  {
    id: "credential.agent-socket",
    tries: "use a key through an agent's socket (ssh, gpg, Wayland, keyring)",
    stoppedBy: NOT_INSIDE,
    script: `
names = [n for n in os.environ if n.endswith(("_SOCK", "_AGENT_INFO")) or n.startswith(("DBUS_", "XDG_RUNTIME", "WAYLAND"))]
sockets = [os.path.join(d, n) for top in ("/tmp", "/run", "/var/run") for d, _, files in os.walk(top) for n in files if stat.S_ISSOCK(os.lstat(os.path.join(d, n)).st_mode)]
breach(names + sockets) if names or sockets else held("none")`,
  },
  {
    id: "credential.kernel-tables",
    tries: "learn of timers and memory of the kernel, and so of others, from /proc",
    stoppedBy: "masked files, and an unprivileged user",
    control: "none",
    script: `
for path in ("/proc/timer_list", "/proc/sched_debug", "/proc/slabinfo", "/proc/vmallocinfo", "/proc/pagetypeinfo"):
    if read(path, 100): breach(path)
held("hidden")`,
  },
];
