import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectShapes } from './support/api-shapes.ts';
import { startDaemon } from './support/daemon.ts';

/** What dockerd 20.10 has (API 1.41) and this daemon need not have, with the reason. */
const LEFT_OUT: [RegExp, reason: string][] = [
  [/\.KernelMemory(TCP)? /, 'the kernel took it away in 5.4, and API 1.42 with it'],
  [/\.(CpuCount|CpuPercent|IOMaximumIOps|IOMaximumBandwidth) /, 'only Windows has it'],
  [/^image inspect \.Container(Config)?\b/, 'of the builder before BuildKit; gone in API 1.45'],
  [/^stats \.memory_stats\.stats\.\*/, "counters are the kernel's, and differ between cgroup v1 and v2"],
  [/^wait \.Error /, 'left out when there is none, from API 1.42 on'],
  [/^image inspect \.GraphDriver\.Data/, 'an image alone is mounted nowhere'],
  [/^info \.\w+Commit\.Expected /, 'gone by now'],
  [/^info \.SecurityOptions\[\] /, 'a list of names, which may be empty'],
  [
    /^info \.(ClusterAdvertise|ClusterStore|KernelMemory(TCP)?|SystemStatus|BridgeNf\w+|DefaultAddressPools) ?/,
    'gone by now',
  ],
];

test('every field that dockerd answers with is there and of the same type', async () => {
  const recorded = readFileSync(join(import.meta.dirname, 'golden/api-shapes.txt'), 'utf8')
    .trim()
    .split('\n');
  await using daemon = await startDaemon();
  const ours = await collectShapes(daemon.socket);
  const types = new Map<string, Set<string>>();
  for (const line of ours) {
    const at = line.lastIndexOf(' ');
    const path = line.slice(0, at);
    types.set(path, (types.get(path) ?? new Set()).add(line.slice(at + 1)));
  }
  const missing = recorded.filter(line => {
    if (LEFT_OUT.some(([pattern]) => pattern.test(`${line} `))) return false;
    const at = line.lastIndexOf(' ');
    const found = types.get(line.slice(0, at));
    // Go writes null for an empty list or map: clients take both for the same.
    return !found || !(found.has(line.slice(at + 1)) || found.has('null') || line.endsWith(' null'));
  });
  expect(missing).toEqual([]);
});
