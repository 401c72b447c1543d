# The virtual machine's first program, once / is the other machine's: runs the command and tells how it ended.
b=/run/vm/busybox
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
$b stty -F /dev/console raw -echo
$b mount -t cgroup2 cgroup2 /sys/fs/cgroup
$b mount -t securityfs securityfs /sys/kernel/security
$b mkdir -p /dev/pts /dev/shm
for link in fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
  to=${link#*:}
  $b ln -s "/proc/self/fd${to#fd}" "/dev/${link%:*}"
done
$b mount -t devpts -o ptmxmode=666 devpts /dev/pts
$b mount -t tmpfs tmpfs /dev/shm
$b ip link set lo up
($b sleep "$($b cat /run/vm/timeout)" && $b poweroff -f) &
echo 'vm: the command begins' >/dev/console
$b sh /run/vm/command </dev/null >/dev/console 2>&1
printf '\nvm: the command ended with %s\n' "$?" >/dev/console
# What was written is on its way to the serial line.
$b sleep 0.2
$b poweroff -f
$b sleep 10
