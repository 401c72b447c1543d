#!/bin/busybox sh
# The virtual machine's first program: makes the other machine's files its own, and goes on as main.sh in them.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
while read -r module; do $b insmod "/modules/$module.ko"; done </modules/order

options=trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose
$b mount -t 9p -o $options host /host || exec $b poweroff -f
# The machine's files, or those that stand in for them on another architecture.
if [ "$($b cat /vm/architecture)" = arm64 ]; then
  $b mount -t 9p -o $options root /root
  # busybox stands in for commands that are missing. As a shell it would prefer its own to those that are there.
  $b mount --bind /root/bin /host/mnt
  $b mount -t tmpfs tmpfs /root/bin
  $b cp $b /root/bin
  $b chroot /root $b --install -s /bin
  $b cp -af /host/mnt/. /root/bin
  $b umount /host/mnt
else
  $b mount --bind /host /root
fi
# What can be written to is on a disk of this run: images' layers and users' files are on such file systems too.
$b mount -t ext4 /dev/vda /disk
$b mkdir -m 1777 /disk/tmp
$b mkdir /disk/lib
$b mount --bind /disk/tmp /root/tmp
$b mount --bind /disk/lib /root/var/lib
$b mount -t tmpfs tmpfs /root/run

# The repository may itself be in one of those that are empty now.
repository=$($b cat /vm/repository)
$b mkdir -p "/root$repository" 2>/dev/null
$b mount --bind "/host$repository" "/root$repository"
if [ "$($b cat /vm/architecture)" = arm64 ]; then
  modules=$repository/node_modules
  $b mount -t overlay -o "lowerdir=/host$repository/.cache/vm/arm64/node_modules:/host$modules" overlay "/root$modules"
fi

$b mkdir /root/run/vm
$b cp $b /vm/* /root/run/vm/
for directory in proc sys dev; do $b mount --move "/$directory" "/root/$directory"; done
exec $b switch_root /root /run/vm/busybox sh /run/vm/main.sh
