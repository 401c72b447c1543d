// The descriptions of virtual machines in docs/machines: what their programs would refuse, as far as it can be seen here.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../../learn/repository.ts';

const read = (name: string): string => readFileSync(join(repository, 'docs/machines', name), 'utf8');

/** Types of the fields of Lima's LimaYAML that the template uses. github.com/lima-vm/lima, pkg/limatype/lima_yaml.go */
const LIMA = {
  minimumLimaVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
  base: [expect.stringMatching(/^template:_images\/debian-\d+$/)],
  cpus: expect.any(Number),
  memory: expect.stringMatching(/^\d+GiB$/),
  disk: expect.stringMatching(/^\d+GiB$/),
  mounts: [],
  containerd: { system: false, user: false },
  provision: [{ mode: 'system', script: expect.stringMatching(/^#!\/bin\/sh\n/) }],
};

test('Lima’s template has only fields that Lima knows, and its script is a shell’s', () => {
  const template = parse(read('lima.yaml'));
  expect(template).toEqual(LIMA);
  expect(spawnSync('sh', ['-n'], { input: template.provision[0].script }).status).toBe(0);
});

test('both machines install the same packages, and cloud-init’s commands are shell commands', () => {
  const cloud = parse(read('cloud-init.yaml'));
  const lima = /apt-get install -y --no-install-recommends (.*)/.exec(read('lima.yaml'))![1]!.split(' ');
  expect(read('cloud-init.yaml').startsWith('#cloud-config\n')).toBe(true);
  expect(lima).toEqual(cloud.packages);
  for (const [shell, flag, command] of cloud.runcmd) {
    expect([shell, flag]).toEqual(['sh', '-c']);
    expect(spawnSync('sh', ['-n'], { input: command }).status).toBe(0);
  }
});
