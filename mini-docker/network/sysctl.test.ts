import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Descriptor } from '../linux/descriptor.ts';
import { inNetworkNamespace, openNetworkNamespace } from '../linux/network-namespace.ts';
import { setSysctl, sysctl } from './sysctl.ts';

const descriptors = (): number => readdirSync('/proc/self/fd').length;

test('settings are those of the network namespace that the thread is in, however many are written', async () => {
  const holder = spawn('unshare', ['-n', 'sh', '-c', 'echo there; read _']);
  await once(holder.stdout, 'data');
  {
    using namespace = new Descriptor(openNetworkNamespace({ pid: holder.pid! }));
    const name = 'ipv4/conf/lo/tag';
    const here = sysctl(name);
    const before = descriptors();
    for (let value = 1; value <= 250; value++) {
      inNetworkNamespace(namespace.number, () => setSysctl(name, String(value)));
      expect(inNetworkNamespace(namespace.number, () => sysctl(name))).toBe(String(value));
    }
    const seen = ['-t', String(holder.pid), '-n', 'cat', `/proc/sys/net/${name}`];
    expect(execFileSync('nsenter', seen, { encoding: 'utf8' })).toBe('250\n');
    expect(sysctl(name)).toBe(here);
    expect(descriptors()).toBe(before);
    expect(() => setSysctl(name, 'no number')).toThrow('EINVAL');
    setSysctl('ipv4/conf/no-such-link/tag', '1');
  }
  holder.stdin.end();
  await once(holder, 'exit');
});
