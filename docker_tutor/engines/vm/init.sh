# The first program of the guest: mounts, network, modules; then the one that keeps Docker.
# The kernel's command line gives SEED, DISK, LINE, LOG, NIC (devices), SHARE (a file system's type), and may give PORTS.
PATH=/usr/sbin:/usr/bin
export PATH LINE LOG
b=/usr/bin/busybox
fail() { echo "{\"failed\": \"$1\", \"said\": \"$($b tr -d '"\\\n' </run/said)\"}" >"$LINE"; $b sync; $b poweroff -f; }

$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mkdir -p /dev/pts /dev/shm /dev/mqueue
$b mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
$b mount -t tmpfs -o mode=1777 tmpfs /dev/shm
$b mount -t mqueue mqueue /dev/mqueue
$b mount -t tmpfs -o mode=1777 tmpfs /tmp
$b mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Docker looks into its own control group for what can be limited, and the root's has no limits.
for controller in $($b cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
$b mkdir /sys/fs/cgroup/engine
echo $$ >/sys/fs/cgroup/engine/cgroup.procs
$b ln -sf /proc/self/fd /dev/fd
$b hostname docker-tutor
$b stty raw -echo <"$LINE"
$b stty raw -echo <"$LOG"

# ext4 repairs what a killed guest has left, from its journal. Left to itself it would also write half a gigabyte of zeros
# in the background, into tables of files that may never be (`man 5 ext4`, noinit_itable). Where the machine outside has
# no room for what is written, nothing is written any more, and what is there stays whole (data_err=abort).
$b mount -t ext4 -o noatime,discard,noinit_itable,data_err=abort "$DISK" /disk 2>/run/said || fail disk
# On a disk that is full to its last byte Docker would not start, and nobody could make room. So something is kept back,
# and given up when there is not twice as much.
$b rm -f /disk/reserve
$b fallocate -l 33554432 /disk/reserve 2>/dev/null && $b truncate -s 16777216 /disk/reserve || $b rm -f /disk/reserve
for folder in docker containerd; do
    $b mkdir -p /disk/$folder /var/lib/$folder
    $b mount --bind /disk/$folder /var/lib/$folder
done

ip link set lo up
ip address add 10.0.2.100/24 dev "$NIC"
# What listens on the guest's own loopback is reached by a second address (see keeper.py).
ip address add 10.0.2.101/24 dev "$NIC"
ip link set "$NIC" up
ip route add default via 10.0.2.2
$b xargs modprobe -a -q </run/seed/modules
echo 1 >/proc/sys/net/ipv4/ip_forward
# What Docker gives out by itself, apart from every other engine on the machine outside (see port_ranges.py).
[ -z "$PORTS" ] || echo "${PORTS%-*} ${PORTS#*-}" >/proc/sys/net/ipv4/ip_local_port_range
echo 1 >"/proc/sys/net/ipv4/conf/$NIC/route_localnet"
iptables -t nat -A PREROUTING -i "$NIC" -d 10.0.2.101 -j DNAT --to-destination 127.0.0.1

number=0
while read -r folder; do
    $b mkdir -p "$folder"
    # UML opens the folder that it is told; QEMU's guest knows what it is shown by a number.
    case $SHARE in hostfs) set -- -o "$folder" none ;; *) set -- "share$number" ;; esac
    $b mount -t "$SHARE" "$@" "$folder" 2>/run/said || fail share
    number=$((number + 1))
done </run/seed/shares

cd /run/seed || exit 1
# tini takes over orphans; Python is asked for nothing but its library.
PYTHONDONTWRITEBYTECODE=1 exec tini -g -- python3 -S -m docker_tutor.engines.vm.guest
