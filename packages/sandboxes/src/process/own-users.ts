import { OWN_IDS } from "../sandbox-user.ts";

/** What a sandbox gets that is root of its own system. */
export type OwnUsers = {
  /** The tree that its root file system is a changeable copy of. */
  readonly tree: string;
  /** The user of the host that its root is; its other users are the next ones. */
  readonly firstId: number;
  /** Where its disk is mounted, which takes what it changes. */
  readonly disk: string;
  /** Whether programs may make containers in it. */
  readonly containers: boolean;
};

/** The users that containers of these users may have, besides the one that makes them. Source: subuid(5) */
const LENT = ["root", "agent"].map((name) => `${name}:1:${OWN_IDS - 2}\\n`).join("");

const NOBODY = 65_534;
const NAMESPACE_FD = 5;

/** The view of a tree in which files belong to the users of a namespace. Source: mount_setattr(2), open_tree(2) */
const VIEW = `my ($tree, $target, $namespace) = @ARGV;
my $here = "\\0";
open(my $users, "<", $namespace) or die "user namespace: $!\\n";
my $view = syscall(428, -100, $tree, 1 | 02000000);
$view >= 0 or die "open_tree: $!\\n";
my $shown = pack("QQQQ", 0x100000 | 7, 0, 0, fileno($users));
syscall(442, $view, $here, 0x1000, $shown, 32) == 0
  or die "the kernel or the file system of $tree cannot show files under other owners (mount_setattr: $!)\\n";
syscall(429, $view, $here, -100, $target, 4) == 0 or die "move_mount: $!\\n";`;

/**
 * Makes a user namespace (descriptor 5) whose users are those of the host from `$3` on, and mounts at `$2/system/root`
 * what it may change: a copy on write of the tree `$1`, whose changes are on the disk at `$2`.
 */
const SYSTEM = `before=$(readlink /proc/self/ns/user)
unshare --user -- sleep 60 & holder=$!
while [ "$(readlink /proc/$holder/ns/user)" = "$before" ]; do sleep 0.002; done
for map in uid_map gid_map; do
printf '0 %d ${OWN_IDS - 1}\\n${NOBODY} %d 1\\n' "$3" $(($3 + ${OWN_IDS - 1})) > /proc/$holder/$map || exit 96
done
exec ${NAMESPACE_FD}< /proc/$holder/ns/user; kill $holder
cd "$2" && rm -rf system && mkdir -p system/tree system/upper/etc system/work system/root || exit 96
printf "$5" > system/upper/etc/subuid && cp system/upper/etc/subuid system/upper/etc/subgid && chown -R "$3:$3" system/upper || exit 96
perl -e "$4" "$1" system/tree /proc/self/fd/${NAMESPACE_FD} || exit 96
mount -t overlay -o lowerdir=system/tree,upperdir=system/upper,workdir=system/work overlay system/root || exit 96
cd /; shift 5; exec "$@"`;

/** Where the root file system of a sandbox with users of its own is on the host. */
export const ownRoot = ({ disk }: OwnUsers): string => `${disk}/system/root`;

/** Runs a command with the root file system mounted and the namespace open, in a mount namespace of its own. */
export function withOwnUsers({ tree, disk, firstId }: OwnUsers, command: readonly string[]): readonly string[] {
  return ["sh", "-c", SYSTEM, "handrail-sandbox", tree, disk, String(firstId), VIEW, LENT, ...command];
}

/** Runs a command as root of that namespace, which it can make namespaces in. */
export function asOwnRoot(command: readonly string[]): readonly string[] {
  const enter = ["nsenter", `--user=/proc/self/fd/${NAMESPACE_FD}`, "--setuid", "0", "--setgid", "0", "--"];
  return [...enter, "sh", "-c", `exec ${NAMESPACE_FD}<&-; exec "$@"`, "handrail-sandbox", ...command];
}
