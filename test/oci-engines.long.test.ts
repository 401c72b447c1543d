// Engines of others run their containers on mini-docker-runtime, as they do on runc: podman, buildah, dockerd and
// containerd, each in a network and a mount namespace of its own.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Bundle, has, OURS } from '../mini-docker/oci-runtime/testing/bundle.ts';

const directory = mkdtempSync(join(tmpdir(), 'mini-docker-engines-'));
const bundle = new Bundle(OURS);
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await bundle[Symbol.asyncDispose]();
});

/** Podman's own defaults need rights that this machine may lack. */
const configuration = join(directory, 'containers.conf');
writeFileSync(configuration, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n');

/** Runs a script where nothing of it reaches the machine; /run is empty. @returns its lines */
function apart(script: string): string[] {
  const prelude = [
    'mount --make-rprivate /; mount -t tmpfs tmpfs /run; ip link set lo up',
    `cd ${directory}; RUNTIME=${OURS}; ROOTFS=${bundle.directory}/rootfs`,
    // Answers to `echo`, with the exit code behind.
    'say() { "$@" 2>&1; echo "exit $?"; }',
    'until_() { i=0; until "$@" >/dev/null 2>&1; do i=$((i + 1)); [ $i -lt 300 ] || exit 9; sleep .1; done; }',
  ];
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-n', '-m', 'sh', '-c', [...prelude, script].join('\n')],
    {
      encoding: 'utf8',
      env: { ...process.env, CONTAINERS_CONF: configuration },
      timeout: 170_000,
    },
  );
  expect({ status, ...(status !== 0 && { stdout, stderr }) }).toEqual({ status: 0 });
  return stdout.trim().split('\n');
}

test.skipIf(!has('podman'))(
  'podman --runtime runs, executes, logs, pauses and stops a container',
  () => {
    const lines = apart(`
      P="podman --root ${directory}/podman --runroot /run/podman --runtime $RUNTIME --cgroup-manager cgroupfs"
      P="$P --events-backend file --storage-driver vfs"
      tar -C $ROOTFS -c . | $P import - busy >/dev/null 2>&1
      say $P run --rm --net none busy sh -c 'echo from podman; exit 5'
      say $P run --rm --net none -t busy tty
      say $P run --rm --net none busy missing | tail -n 1
      $P run -d --name c --net none busy sh -c 'echo logged; exec sleep 1000' >/dev/null
      say $P exec c sh -c 'echo executed; exit 3'
      say $P logs c
      say $P pause c; $P inspect -f '{{.State.Status}}' c; say $P unpause c
      say $P stop -t 0 c; $P inspect -f '{{.State.Status}} {{.State.ExitCode}}' c
      $P rm -f -a >/dev/null`);
    expect(lines.map(line => line.trim())).toEqual([
      'from podman',
      'exit 5',
      '/dev/pts/0',
      'exit 0',
      'exit 127',
      'executed',
      'exit 3',
      'logged',
      'exit 0',
      expect.any(String),
      'exit 0',
      'paused',
      expect.any(String),
      'exit 0',
      'c',
      'exit 0',
      'exited 137',
    ]);
  },
  180_000,
);

test.skipIf(!has('buildah'))(
  'buildah --runtime builds an image and runs it',
  () => {
    mkdirSync(join(directory, 'context'));
    writeFileSync(
      join(directory, 'context/Dockerfile'),
      'FROM scratch\nADD rootfs.tar /\nRUN echo built >/made\n',
    );
    const lines = apart(`
      B="buildah --root ${directory}/buildah --runroot /run/buildah --storage-driver vfs"
      tar -C $ROOTFS -cf context/rootfs.tar .
      $B build --runtime $RUNTIME --isolation oci --network none -t made context >log 2>&1 || cat log
      c=$($B from --pull-never made)
      say $B run --runtime $RUNTIME --isolation oci --network none $c cat /made
      say $B run --runtime $RUNTIME --isolation oci --network none $c sh -c 'exit 4' | tail -n 1
      $B rm -a >/dev/null; $B rmi -a -f >/dev/null`);
    expect(lines).toEqual(['built', 'exit 0', 'exit 4']);
  },
  180_000,
);

test.skipIf(!has('dockerd'))(
  'dockerd --add-runtime runs, executes, logs, pauses and stops a container',
  () => {
    const lines = apart(`
      echo '{}' >daemon.json
      dockerd --config-file daemon.json --add-runtime mini=$RUNTIME --data-root ${directory}/docker --exec-root /run/exec \\
        --pidfile /run/d.pid -H unix:///run/d.sock --bridge none --iptables=false --ip6tables=false >dockerd.log 2>&1 &
      daemon=$!
      D="docker -H unix:///run/d.sock"; R="$D run --net none --runtime mini"
      until_ $D version
      tar -C $ROOTFS -c . | $D import - busy >/dev/null
      say $R --rm busy sh -c 'echo from docker; exit 5'
      say $R --rm -t busy tty
      say $R --rm busy missing 2>&1 | tail -n 1
      say $R --rm -u 5:6 -w /new --oom-score-adj 500 --init --read-only --tmpfs /t busy sh -c 'pwd; id -u; cat /proc/self/oom_score_adj'
      $R -d --name box busy sh -c 'echo logged; exec sleep 1000' >/dev/null
      say $D exec box sh -c 'echo executed; exit 3'
      say $D logs box
      say $D pause box; $D inspect -f '{{.State.Status}}' box; say $D unpause box
      say $D update --memory 20m --memory-swap 20m box
      say $D stop -t 0 box; $D inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
      say $D start box; $D rm -f box
      kill $daemon; wait $daemon`);
    expect(lines.map(line => line.trim())).toEqual([
      'from docker',
      'exit 5',
      '/dev/pts/0',
      'exit 0',
      'exit 127',
      '/new',
      '5',
      '500',
      'exit 0',
      'executed',
      'exit 3',
      'logged',
      'exit 0',
      'box',
      'exit 0',
      'paused',
      'box',
      'exit 0',
      'box',
      'exit 0',
      'box',
      'exit 0',
      'exited 137',
      'box',
      'exit 0',
      'box',
    ]);
  },
  180_000,
);

test.skipIf(!has('containerd'))(
  'containerd runs, executes, pauses and kills a task with ctr --runc-binary',
  () => {
    writeFileSync(
      join(directory, 'containerd.toml'),
      [
        'version = 2',
        `root = "${directory}/containerd"`,
        'state = "/run/containerd"',
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        '[grpc]',
        '  address = "/run/containerd.sock"',
      ].join('\n'),
    );
    const lines = apart(`
      containerd --config containerd.toml >containerd.log 2>&1 &
      daemon=$!
      C="ctr -a /run/containerd.sock"
      R="$C run --runc-binary $RUNTIME --rootfs"
      until_ $C version
      say $R --rm $ROOTFS a sh -c 'echo from ctr; exit 5'
      $R -d $ROOTFS c sleep 1000
      say $C task exec --exec-id e c sh -c 'echo executed; exit 3'
      say $C task pause c; $C task ls | awk '/^c / {print $3}'; say $C task resume c
      $C task metrics c | grep -c memory.usage_in_bytes
      say $C task kill -s KILL c
      until_ sh -c "$C task ls | grep STOPPED"
      $C task rm c 2>/dev/null; say $C container rm c
      kill $daemon; wait $daemon`);
    expect(lines).toEqual([
      'from ctr',
      'exit 5',
      'executed',
      'exit 3',
      'exit 0',
      'PAUSED',
      'exit 0',
      '1',
      'exit 0',
      'exit 0',
    ]);
  },
  180_000,
);
