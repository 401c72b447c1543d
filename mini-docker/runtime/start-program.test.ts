// The list of a start, whole, for a spec as the engine writes it: golden files that a reader can compare. No root needed:
// a spec goes in, data comes out.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { resolveSeccompProfile } from '../formats/seccomp.ts';
import { compile } from '../linux/program.ts';
import { hostArchitecture } from '../linux/step.ts';
import { execProgram } from './exec.ts';
import { explainSections } from './explain.ts';
import { DEFAULT_PROFILE } from './seccomp/default-profile.ts';
import type { Section } from './section.ts';
import { type StartFacts, startProgram } from './start-program.ts';
import { waiterImage } from './waiter.ts';

const facts: StartFacts = {
  layers: {
    lowerdirs: ['/data/layers/b', '/data/layers/a'],
    upperdir: '/data/c/upper',
    workdir: '/data/c/work',
  },
  stdin: false,
  init: false,
  enterCgroup: 'born in it',
  cgroup: { version: 2, directories: [] },
  isDirectory: source => !source.includes('.'),
  lastCapability: 40,
  kernelFiles: ['meminfo', 'sys', 'tty'],
};

function spec(change: (spec: Spec) => void = () => {}): Spec {
  const golden = new URL('../engine/spec/golden/spec-default.txt', import.meta.url);
  const read: Spec = JSON.parse(readFileSync(golden, 'utf8'));
  const capabilities = read.process.capabilities!.bounding;
  const machine = { architecture: hostArchitecture(), kernel: '6.1.0', capabilities };
  read.linux.seccomp = resolveSeccompProfile(DEFAULT_PROFILE, machine);
  change(read);
  return read;
}

function text(sections: Section[]): string {
  let group = '';
  return explainSections(sections)
    .map(line => {
      const heading = line.group === group ? '' : `\n${line.group}\n`;
      group = line.group;
      return `${heading}  ${line.call}${line.reason === '' ? '' : `\n      ${line.reason}`}\n`;
    })
    .join('');
}

test('the default container', async () => {
  await expect(text(startProgram(spec(), facts).sections)).toMatchFileSnapshot('golden/start-default.txt');
});

test('with a terminal, init, a read-only root, a user and a bind mount', async () => {
  const changed = spec(({ process, root, mounts }) => {
    process.terminal = true;
    process.consoleSize = { height: 24, width: 80 };
    process.user = { uid: 1000, gid: 1000, additionalGids: [10] };
    process.cwd = '/work/here';
    process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 2048 }];
    root.readonly = true;
    mounts.push({
      destination: '/site',
      type: 'bind',
      source: '/home/me/site',
      options: ['rbind', 'ro', 'rprivate'],
    });
  });
  const program = startProgram(changed, { ...facts, init: true });
  await expect(text(program.sections)).toMatchFileSnapshot('golden/start-terminal.txt');
});

test('an exec', async () => {
  const { process } = spec();
  const program = execProgram({
    spec: spec(),
    process,
    stdin: true,
    pipes: [0, 1, 2],
    enterCgroup: facts.enterCgroup,
    lastCapability: 40,
  });
  await expect(text(program.sections)).toMatchFileSnapshot('golden/exec.txt');
});

test('a start is some kilobytes of machine code, and the waiter less than one page', () => {
  const items = startProgram(spec(), facts).sections.flatMap(section => section.items);
  for (const architecture of ['x64', 'arm64'] as const) {
    const { code } = compile(items, { architecture, dataAddress: 0x1000_0000 });
    expect(code.length).toBeGreaterThan(4096);
    expect(code.length).toBeLessThan(65_536);
    expect(compile(items, { architecture, dataAddress: 0x1000_0000 }).code.equals(code)).toBe(true);
    expect(waiterImage(architecture).equals(waiterImage(architecture))).toBe(true);
  }
});
