#!/bin/bash
# A small machine whose file systems keep quotas, which the kernels of many others do not: Debian's, emulated, in one
# directory. Docker daemons in it cannot have disks: rootless ones on XFS and on ext4, Podman as a plain user, and one of root.
#
#   scripts/quota-machine.sh build   makes it; takes root, mmdebstrap and a Debian mirror, and 4 GB
#   scripts/quota-machine.sh run     runs it until it is ended; takes qemu-system-x86_64
#
# It says where its daemons listen, on this machine alone. The system test `user-quotas` takes one in QUOTA_DOCKER_HOST.
set -eu
directory=${QUOTA_MACHINE:-${XDG_CACHE_HOME:-$HOME/.cache}/handrail/quota-machine}
root=$directory/root
packages=docker.io,rootlesskit,uidmap,slirp4netns,iproute2,iptables,xfsprogs,quota,podman,crun,catatonit,fuse-overlayfs,socat,kmod,linux-image-amd64
# What every user of a sandbox may store, and many: more than the sandbox's own program takes.
MIB=64 FILES=2000

build() {
  mkdir -p "$directory"
  rm -rf "$root"
  mmdebstrap --variant=minbase --include="$packages" --dpkgopt='path-exclude=/usr/share/doc/*' bookworm "$root"
  for user in alice:1000:100000 bob:1001:200000 carol:1002:300000; do
    IFS=: read -r name id first <<<"$user"
    echo "$name:x:$id:$id::/home/$name:/bin/bash" >>"$root/etc/passwd"
    echo "$name:x:$id:" >>"$root/etc/group"
    echo "$name:$first:65536" | tee -a "$root/etc/subuid" >>"$root/etc/subgid"
    install -d -o "$id" -g "$id" "$root/home/$name"
  done
  { echo '#!/bin/bash'; echo "MIB=$MIB FILES=$FILES"; first_process; } >"$root/first-process"
  chmod 755 "$root/first-process"
  rm -f "$directory/root.img"
  mkfs.ext4 -q -d "$root" -O ^has_journal "$directory/root.img" 3G
}

run() {
  rm -f "$directory"/{xfs,ext4}.img
  truncate -s 12G "$directory/xfs.img"
  truncate -s 6G "$directory/ext4.img"
  # A processor that is itself emulated may hang under KVM.
  accelerated=${QUOTA_MACHINE_KVM:+-enable-kvm -cpu host}
  exec qemu-system-x86_64 ${accelerated:--accel tcg,thread=multi,tb-size=512 -cpu max} -smp 2 -m 3072 -nographic -no-reboot \
    -kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* \
    -append "console=ttyS0 root=/dev/vda rw rootfstype=ext4 init=/first-process quiet panic=1 net.ifnames=0 mitigations=off" \
    -drive "file=$directory/root.img,if=virtio,format=raw,cache=unsafe,snapshot=on" \
    -drive "file=$directory/xfs.img,if=virtio,format=raw,cache=unsafe" \
    -drive "file=$directory/ext4.img,if=virtio,format=raw,cache=unsafe" \
    -netdev user,id=n$(printf ',hostfwd=tcp:127.0.0.1:1%s-:%s' 2375 2375 2376 2376 2377 2377 2378 2378) \
    -device virtio-net-pci,netdev=n,romfile=
}

first_process() {
  cat <<'END'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
chmod 1777 /tmp
mount --make-rshared /
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for module in xfs quota_v2 overlay fuse tun; do modprobe "$module"; done
chmod 666 /dev/fuse /dev/net/tun
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ulimit -n 524288

mkdir -p /xfs /ext4
mkfs.xfs -q -f /dev/vdb
mount -o uquota /dev/vdb /xfs
mkfs.ext4 -q -F -O quota /dev/vdc
mount -o usrquota /dev/vdc /ext4
xfs_quota -x -c "limit -u -d bhard=${MIB}m ihard=$FILES" /xfs
for user in alice carol; do xfs_quota -x -c "limit -u bhard=4g ihard=1000000 $user" /xfs; done
seq 204095 261438 | sed "s/$/ 0 $((MIB * 1024)) 0 $FILES/" | setquota -u -b /ext4

# Of a user with this id, at this port: a program that serves a socket of that name.
serve() {
  local name=$1 id=$2 port=$3 socket=$4
  shift 4
  mkdir -p "/run/user/$id"
  chown "$id:$id" "/run/user/$id"
  cd /
  setsid setpriv --reuid "$id" --regid "$id" --clear-groups env -i HOME="/home/$name" USER="$name" PATH="$PATH" \
    XDG_RUNTIME_DIR="/run/user/$id" DOCKERD_ROOTLESS_ROOTLESSKIT_NET=slirp4netns "$@" </dev/null >"/tmp/$name.log" 2>&1 &
  socat "TCP-LISTEN:$port,fork,reuseaddr" "UNIX-CONNECT:/run/user/$id/$socket" &
}
own=(--bridge none --iptables=false --data-root)
for place in xfs/alice:1000 ext4/bob:1001 xfs/carol:1002; do install -d -o "${place#*:}" "/${place%:*}"; done
rootless=/usr/share/docker.io/contrib/dockerd-rootless.sh
serve alice 1000 2375 docker.sock sh "$rootless" "${own[@]}" /xfs/alice/docker
serve bob 1001 2376 docker.sock sh "$rootless" "${own[@]}" /ext4/bob/docker
serve carol 1002 2377 podman.sock podman --storage-driver overlay --root /xfs/carol/storage --cgroup-manager cgroupfs \
  system service --time=0 unix:///run/user/1002/podman.sock
dockerd "${own[@]}" /xfs/root -H unix:///run/docker.sock </dev/null >/tmp/root.log 2>&1 &
socat TCP-LISTEN:2378,fork,reuseaddr UNIX-CONNECT:/run/docker.sock &
echo "Docker, rootless, on XFS:    QUOTA_DOCKER_HOST=tcp://127.0.0.1:12375"
echo "Docker, rootless, on ext4:   QUOTA_DOCKER_HOST=tcp://127.0.0.1:12376"
echo "Podman of a user, on XFS:    QUOTA_DOCKER_HOST=tcp://127.0.0.1:12377"
echo "Docker of root, on XFS:      QUOTA_DOCKER_HOST=tcp://127.0.0.1:12378"
while true; do wait -n || sleep 1; done
END
}

case ${1:-} in
build | run) "$1" ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
