import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { FAILURE_SLOT } from '../linux/program-data.ts';
import { Results } from '../linux/results.ts';
import { compiledStart, compileStart, listStart } from './compiled-start.ts';

const directory = mkdtempSync(join(tmpdir(), 'mini-docker-compiled-'));
afterAll(() => rmSync(directory, { recursive: true }));
const golden = readFileSync(new URL('../engine/spec/golden/spec-default.txt', import.meta.url), 'utf8');

function container(id: string, change: (spec: Spec) => void = () => {}) {
  const spec: Spec = JSON.parse(golden);
  const own = join(directory, id);
  spec.hostname = id.slice(0, 12);
  spec.process.env.push(`HOSTNAME=${spec.hostname}`);
  spec.linux.cgroupsPath = `/mini-docker/${id}`;
  spec.mounts.push({ destination: '/own', type: 'bind', source: `${own}-source`, options: ['rbind'] });
  change(spec);
  const rootfs = { lowerdirs: ['/data/layer'], upperdir: join(own, 'upper'), workdir: join(own, 'work') };
  return { id, spec, rootfs, stdin: false, init: false };
}

const [first, second, third] = ['a', 'b', 'c'].map(digit => digit.repeat(64)) as [string, string, string];

test("a container gets another's program with its own id, the same as if it were compiled for it", () => {
  const compiled = [first, second, first].map(id => compiledStart(container(id)).compiled);
  for (const [index, id] of [first, second, first].entries()) {
    const anew = compileStart(listStart(container(id))).compiled;
    expect(compiled[index]!.code.equals(anew.code)).toBe(true);
    expect(compiled[index]!.data.equals(anew.data)).toBe(true);
  }
  expect(compiled[1]!.code).toBe(compiled[0]!.code);
});

test('a failed step is told with the paths of its own container', () => {
  compiledStart(container(first));
  const { compiled } = compiledStart(container(second));
  const failed = compiled.layout.failures.findIndex(([step]) =>
    step!.args.some(arg => String(arg).includes(first)),
  );
  const memory = Buffer.from(compiled.data);
  memory.writeBigInt64LE(BigInt(failed + 1), FAILURE_SLOT);
  const failure = new Results(compiled, memory).failure()!;
  expect(JSON.stringify(failure.step)).toContain(second);
  expect(JSON.stringify(failure.step)).not.toContain(first);
});

test('containers that differ in more than their ids have programs of their own', () => {
  const { code } = compiledStart(container(first)).compiled;
  const other = (change: (spec: Spec) => void) => compiledStart(container(second, change)).compiled.code;
  expect(other(({ process }) => process.args.push('more'))).not.toBe(code);
  expect(other(spec => Object.assign(spec, { hostname: 'web' }))).not.toBe(code);
  // The source was a directory, or missing, before.
  mkdirSync(join(directory, `${second}-source`));
  expect(other(() => {})).toBe(code);
  writeFileSync(join(directory, `${third}-source`), '');
  expect(compiledStart(container(third)).compiled.code).not.toBe(code);
});
