// The flags of `run` and `create`: docker's (https://docs.docker.com/reference/cli/docker/container/run/).

import { decodeDuration } from '../../formats/durations.ts';
import { decodeSize } from '../../formats/sizes.ts';
import { contentTrustFlag } from '../flags/content-trust.ts';
import {
  type Flag,
  type FlagValues,
  integer,
  list,
  text,
  toggle,
  toggleMaybe,
  value,
  values,
} from '../flags/flags.ts';
import {
  readCpus,
  readExtraHost,
  readMacAddress,
  readNameServer,
  readSwap,
  readThrottleBytes,
  readThrottleCount,
  readUlimit,
  readWeightDevice,
} from '../flags/values.ts';
import { decodeGpus } from './gpus.ts';

/** Limits that `update` can change, too. */
export const RESOURCE_FLAGS = {
  'blkio-weight': integer('int', 'Block IO (relative weight), between 10 and 1000, or 0 to disable'),
  'cpu-period': integer('int', 'Limit CPU CFS (Completely Fair Scheduler) period'),
  'cpu-quota': integer('int', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
  'cpu-rt-period': integer('int', 'Limit CPU real-time period in microseconds'),
  'cpu-rt-runtime': integer('int', 'Limit CPU real-time runtime in microseconds'),
  'cpu-shares': integer('int', 'CPU shares (relative weight)', 'c'),
  cpus: value('number', 'Number of CPUs', readCpus),
  'cpuset-cpus': text('string', 'CPUs in which to allow execution (0-3, 0,1)'),
  'cpuset-mems': text('string', 'MEMs in which to allow execution (0-3, 0,1)'),
  memory: value('bytes', 'Memory limit', decodeSize, 'm'),
  'memory-reservation': value('bytes', 'Memory soft limit', decodeSize),
  'memory-swap': value(
    'bytes',
    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    readSwap,
  ),
  'pids-limit': integer('int', 'Tune container pids limit (set -1 for unlimited)'),
  restart: text('string', 'Restart policy to apply when a container exits'),
};

export const CREATE_FLAGS = {
  'add-host': values('list', 'Add a custom host-to-IP mapping (host:ip)', readExtraHost),
  annotation: list('map', 'Add an annotation to the container (KEY=VALUE)'),
  lxcfs: toggle("Let lxcfs tell the container's own limits in /proc (memory, processors, load)"),
  attach: list('list', 'Attach to STDIN, STDOUT or STDERR between 10 and 1000, or 0 to disable', 'a'),
  ...RESOURCE_FLAGS,
  'blkio-weight-device': values('list', 'Block IO weight (relative device weight)', readWeightDevice),
  'cap-add': list('list', 'Add Linux capabilities'),
  'cap-drop': list('list', 'Drop Linux capabilities'),
  'cgroup-parent': text('string', 'Optional parent cgroup for the container'),
  cgroupns: text(
    'string',
    "Cgroup namespace to use (host|private) 'host':    Run the container in the Docker host's cgroup namespace 'private': Run the container in its own private cgroup namespace '':        Use the cgroup namespace as configured by the default-cgroupns-mode option on the daemon (default)",
  ),
  cidfile: text('string', 'Write the container ID to the file'),
  'detach-keys': text('string', 'Override the key sequence for detaching a container'),
  device: list('list', 'Add a host device to the container'),
  'device-cgroup-rule': list('list', 'Add a rule to the cgroup allowed devices list'),
  'device-read-bps': values('list', 'Limit read rate (bytes per second) from a device', readThrottleBytes),
  'device-read-iops': values('list', 'Limit read rate (IO per second) from a device', readThrottleCount),
  'device-write-bps': values('list', 'Limit write rate (bytes per second) to a device', readThrottleBytes),
  'device-write-iops': values('list', 'Limit write rate (IO per second) to a device', readThrottleCount),
  dns: values('list', 'Set custom DNS servers', readNameServer),
  'dns-option': list('list', 'Set DNS options'),
  'dns-search': list('list', 'Set custom DNS search domains'),
  'disable-content-trust': contentTrustFlag(),
  domainname: text('string', 'Container NIS domain name'),
  entrypoint: text('string', 'Overwrite the default ENTRYPOINT of the image'),
  env: list('list', 'Set environment variables', 'e'),
  'env-file': list('list', 'Read in a file of environment variables'),
  expose: list('list', 'Expose a port or a range of ports'),
  gidmap: list('list', 'Map group IDs in a user namespace (CONTAINER:HOST:SIZE)'),
  'group-add': list('list', 'Add additional groups to join'),
  'health-cmd': text('string', 'Command to run to check health'),
  'health-interval': value('duration', 'Time between running the check (ms|s|m|h)', decodeDuration),
  'health-retries': integer('int', 'Consecutive failures needed to report unhealthy'),
  'health-start-interval': value(
    'duration',
    'Time between running the check during the start period',
    decodeDuration,
  ),
  'health-start-period': value(
    'duration',
    'Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)',
    decodeDuration,
  ),
  'kernel-memory': { ...text('bytes', 'Kernel memory limit: it counts to --memory'), hidden: true },
  gpus: value('gpu-request', "GPU devices to add to the container ('all' to pass all GPUs)", decodeGpus),
  'health-timeout': value('duration', 'Maximum time to allow one check to run (ms|s|m|h)', decodeDuration),
  hostname: text('string', 'Container host name', 'h'),
  init: toggleMaybe('Run an init inside the container that forwards signals and reaps processes'),
  interactive: toggle('Keep STDIN open even if not attached', 'i'),
  ip: text('string', 'IPv4 address (e.g., 172.30.100.104)'),
  ip6: text('string', 'IPv6 address (e.g., 2001:db8::33)'),
  ipc: text('string', 'IPC mode to use'),
  isolation: text('string', 'Container isolation technology'),
  label: list('list', 'Set metadata (KEY=VALUE)', 'l'),
  'label-file': list('list', 'Read in a line delimited file of labels'),
  link: list('list', 'Add link to another container'),
  'link-local-ip': list('list', 'Add a link-local address for the container'),
  'log-driver': text('string', 'Logging driver for the container'),
  'log-opt': list('list', 'Log driver options'),
  'mac-address': value('string', 'Container MAC address (e.g., 92:d0:c6:0a:29:33)', readMacAddress),
  'memory-swappiness': integer('int', 'Tune container memory swappiness (0 to 100)'),
  mount: list('mount', 'Attach a filesystem mount to the container'),
  name: text('string', 'Assign a name to the container'),
  net: { ...list('network', 'Same as --network'), hidden: true },
  network: list('network', 'Connect a container to a network'),
  'net-alias': { ...list('list', 'Same as --network-alias'), hidden: true },
  'network-alias': list('list', 'Add network-scoped alias for the container'),
  'no-healthcheck': toggle('Disable any container-specified HEALTHCHECK'),
  'oom-kill-disable': toggle('Disable OOM Killer'),
  'oom-score-adj': integer('int', "Tune host's OOM preferences (-1000 to 1000)"),
  pid: text('string', 'PID namespace to use'),
  platform: text('string', 'Set platform if server is multi-platform capable'),
  privileged: toggle('Give extended privileges'),
  publish: list('list', "Publish a container's port(s) to the host", 'p'),
  'publish-all': toggle('Publish all exposed ports to random ports', 'P'),
  pull: text('string', 'Pull image before running ("always"|"missing"|"never")'),
  quiet: toggle('Suppress the pull output', 'q'),
  'read-only': toggle("Mount the container's root filesystem as read only"),
  rm: toggle('Automatically remove the container when it exits'),
  runtime: text('string', 'Runtime to use for this container'),
  'security-opt': list('list', 'Security Options'),
  'shm-size': value('bytes', 'Size of /dev/shm', decodeSize),
  'stop-signal': text('string', 'Signal to stop a container'),
  'stop-timeout': integer('int', 'Timeout (in seconds) to stop a container'),
  'storage-opt': list('list', 'Storage driver options for the container'),
  sysctl: list('map', 'Sysctl options'),
  tmpfs: list('list', 'Mount a tmpfs directory'),
  tty: toggle('Allocate a pseudo-TTY', 't'),
  uidmap: list('list', 'Map user IDs in a user namespace (CONTAINER:HOST:SIZE)'),
  ulimit: values('ulimit', 'Ulimit options', readUlimit),
  user: text('string', 'Username or UID (format: <name|uid>[:<group|gid>])', 'u'),
  userns: text('string', 'User namespace to use'),
  uts: text('string', 'UTS namespace to use'),
  volume: list('list', 'Bind mount a volume', 'v'),
  'volume-driver': text('string', 'Optional volume driver for the container'),
  'volumes-from': list('list', 'Mount volumes from the specified container(s)'),
  workdir: text('string', 'Working directory inside the container', 'w'),
};

/** The values of these flags. */
export type CreateFlags = FlagValues<typeof CREATE_FLAGS>;

export type Explaining = 'no' | 'summary' | 'full';

export const EXPLAIN: Flag<Explaining> = {
  help: 'Print what would start it, and do nothing; =full prints every system call',
  initial: 'no',
  take(text) {
    if (text === 'full') return 'full';
    if (text === 'true' || text === 'summary') return 'summary';
    if (text === 'false') return 'no';
    throw new Error('must be summary or full');
  },
};
