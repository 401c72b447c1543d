// A pod on mini-docker-runtime, as a kubelet asks for it: containerd's CRI, over gRPC.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Bundle, has, OURS } from '../mini-docker/oci-runtime/testing/bundle.ts';
import { CriClient, type Field } from './support/cri-client.ts';

const directory = mkdtempSync(join(tmpdir(), 'mini-docker-cri-'));
const canRun = has('containerd');
/** Of Debian's package containernetworking-plugins. */
const PLUGINS = '/usr/lib/cni';
let bundle: Bundle;
let containerd: ChildProcess;
let client: CriClient;

/** An image of busybox, whose program sleeps: it also serves as the pod's own. */
function writeImage(): void {
  const image = join(directory, 'image');
  mkdirSync(image);
  execFileSync('tar', ['-C', join(bundle.directory, 'rootfs'), '-cf', join(image, 'layer.tar'), '.']);
  const digest = createHash('sha256')
    .update(readFileSync(join(image, 'layer.tar')))
    .digest('hex');
  const architecture = process.arch === 'x64' ? 'amd64' : 'arm64';
  const config = {
    architecture,
    os: 'linux',
    config: { Cmd: ['sleep', '1000000'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  writeFileSync(join(image, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: ['localhost/busy:latest'], Layers: ['layer.tar'] }];
  writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest));
  execFileSync('tar', ['-C', image, '-cf', join(directory, 'image.tar'), '.']);
}

beforeAll(async () => {
  if (!canRun) return;
  bundle = new Bundle(OURS);
  writeImage();
  const socket = join(directory, 'containerd.sock');
  const cri = '[plugins."io.containerd.grpc.v1.cri"';
  writeFileSync(
    join(directory, 'containerd.toml'),
    [
      'version = 2',
      `root = "${directory}/root"`,
      'state = "/run/containerd"',
      `[grpc]\n  address = "${socket}"`,
      `${cri}]`,
      '  sandbox_image = "localhost/busy:latest"',
      '  restrict_oom_score_adj = true',
      '  disable_apparmor = true',
      `${cri}.cni]`,
      `  bin_dir = "${PLUGINS}"`,
      `  conf_dir = "${directory}/net.d"`,
      `${cri}.containerd]`,
      '  default_runtime_name = "mini-docker"',
      `${cri}.containerd.runtimes.mini-docker]`,
      '  runtime_type = "io.containerd.runc.v2"',
      `${cri}.containerd.runtimes.mini-docker.options]`,
      `  BinaryName = "${OURS}"`,
    ].join('\n'),
  );
  mkdirSync(join(directory, 'net.d'));
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true };
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: '10.99.0.0/24' }]],
    dataDir: join(directory, 'ipam'),
  };
  writeFileSync(
    join(directory, 'net.d/pods.conflist'),
    JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins: [{ ...bridge, ipam }] }),
  );
  const script = [
    'mount --make-rprivate /; mount -t tmpfs tmpfs /run; ip link set lo up',
    `exec containerd --config ${directory}/containerd.toml >${directory}/log 2>&1`,
  ].join('\n');
  containerd = spawn('unshare', ['-n', '-m', 'sh', '-c', script], { stdio: 'ignore' });
  const ctr = (...args: string[]) =>
    execFileSync('ctr', ['-a', socket, '-n', 'k8s.io', ...args], { stdio: 'pipe' });
  await vi.waitFor(() => ctr('version'), { timeout: 30_000, interval: 200 });
  ctr('image', 'import', join(directory, 'image.tar'));
  client = new CriClient(socket);
}, 90_000);

afterAll(async () => {
  client?.close();
  if (containerd?.exitCode === null) {
    containerd.kill('SIGTERM');
    await new Promise(done => containerd.once('exit', done));
  }
  rmSync(directory, { recursive: true, force: true });
  if (canRun) await bundle[Symbol.asyncDispose]();
});

/** NamespaceMode of the CRI's api.proto */
const MODE = { POD: 0, NODE: 2 };
type Mode = (typeof MODE)[keyof typeof MODE];

const text = (answer: Map<number, Buffer | number>, field: number): string => String(answer.get(field) ?? '');

/** Runs a pod with one container in it. @returns what a kubelet does with them */
async function startPod(name: string, mode: Mode) {
  const pod: Field[] = [
    [
      1,
      [
        [1, name],
        [2, `uid-${name}`],
        [3, 'default'],
      ],
    ],
    [3, join(directory, 'logs')],
    [
      8,
      [
        [1, bundle.cgroup],
        [2, [[1, [[1, mode]]]]],
      ],
    ],
  ];
  const sandbox = text(
    await client.call('RunPodSandbox', [
      [1, pod],
      [2, 'mini-docker'],
    ]),
    1,
  );
  const config: Field[] = [
    [1, [[1, 'box']]],
    [2, [[1, 'localhost/busy:latest']]],
    [3, 'sh'],
    [3, '-c'],
    [3, 'echo logged; exec sleep 1000'],
    [11, `${name}.log`],
    [15, [[2, [[3, [[1, mode]]]]]]],
  ];
  const container = text(
    await client.call('CreateContainer', [
      [1, sandbox],
      [2, config],
      [3, pod],
    ]),
    1,
  );
  await client.call('StartContainer', [[1, container]]);
  return {
    async exec(script: string): Promise<{ output: string; code: Buffer | number | undefined }> {
      const answer = await client.call('ExecSync', [
        [1, container],
        [2, 'sh'],
        [2, '-c'],
        [2, script],
        [3, 20],
      ]);
      return { output: text(answer, 1), code: answer.get(3) };
    },
    async stop(): Promise<void> {
      await client.call('StopContainer', [
        [1, container],
        [2, 0],
      ]);
      await client.call('RemoveContainer', [[1, container]]);
      await client.call('StopPodSandbox', [[1, sandbox]]);
      await client.call('RemovePodSandbox', [[1, sandbox]]);
    },
  };
}

test.skipIf(!canRun)(
  'a pod of the RuntimeClass runs containers, executes in them, logs, and stops',
  async () => {
    const pod = await startPod('pod', MODE.NODE);
    expect(await pod.exec('echo executed; exit 3')).toEqual({ output: 'executed\n', code: 3 });
    await expect
      .poll(() => readFileSync(join(directory, 'logs/pod.log'), 'utf8'))
      .toMatch(/ stdout F logged\n$/);
    await pod.stop();
  },
  120_000,
);

test.skipIf(!canRun || !existsSync(PLUGINS))(
  'pods with a network of plug-ins have addresses of their own, and reach each other',
  async () => {
    const one = await startPod('one', MODE.POD);
    const two = await startPod('two', MODE.POD);
    const addresses = await Promise.all(
      [one, two].map(async pod => {
        const { output } = await pod.exec('busybox ip -4 addr show eth0');
        return /inet ([\d.]+)\/24/.exec(output)?.[1];
      }),
    );
    expect(addresses).toEqual(['10.99.0.2', '10.99.0.3']);
    expect(await two.exec('busybox ping -c 1 -W 5 10.99.0.2')).toMatchObject({
      output: expect.stringContaining('1 packets received'),
    });
    await one.stop();
    await two.stop();
  },
  120_000,
);
