// A pod on mini-docker-runtime, as a kubelet asks for it: containerd's CRI, over gRPC.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Bundle, has, OURS } from '../mini-docker/oci-runtime/testing/bundle.ts';
import { CriClient, type Field } from './support/cri-client.ts';

const directory = mkdtempSync(join(tmpdir(), 'mini-docker-cri-'));
const canRun = has('containerd');
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
      `${cri}.containerd]`,
      '  default_runtime_name = "mini-docker"',
      `${cri}.containerd.runtimes.mini-docker]`,
      '  runtime_type = "io.containerd.runc.v2"',
      `${cri}.containerd.runtimes.mini-docker.options]`,
      `  BinaryName = "${OURS}"`,
    ].join('\n'),
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

test.skipIf(!canRun)(
  'a pod of the RuntimeClass runs containers, executes in them, logs, and stops',
  async () => {
    const NODE = 2;
    // The host's network: a pod's own would need the plug-ins of a cluster's network.
    const pod: Field[] = [
      [
        1,
        [
          [1, 'pod'],
          [2, 'uid'],
          [3, 'default'],
        ],
      ],
      [3, join(directory, 'logs')],
      [
        8,
        [
          [1, bundle.cgroup],
          [2, [[1, [[1, NODE]]]]],
        ],
      ],
    ];
    const text = (answer: Map<number, Buffer | number>, field: number): string =>
      String(answer.get(field) ?? '');
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
      [11, 'box.log'],
      [15, [[2, [[3, [[1, NODE]]]]]]],
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

    const exec = await client.call('ExecSync', [
      [1, container],
      [2, 'sh'],
      [2, '-c'],
      [2, 'echo executed; exit 3'],
      [3, 20],
    ]);
    expect([text(exec, 1), exec.get(3)]).toEqual(['executed\n', 3]);
    await expect
      .poll(() => readFileSync(join(directory, 'logs/box.log'), 'utf8'))
      .toMatch(/ stdout F logged\n$/);

    await client.call('StopContainer', [
      [1, container],
      [2, 0],
    ]);
    await client.call('RemoveContainer', [[1, container]]);
    await client.call('StopPodSandbox', [[1, sandbox]]);
    await client.call('RemovePodSandbox', [[1, sandbox]]);
  },
  120_000,
);
