// A virtual machine loses its power at random moments while clients change everything that its engine keeps: on a disk of
// its own, whose unwritten data is in the machine's cache and is lost with it. The next start must find all that was
// answered, no image that is half there, and no record that cannot be read.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../fuzz/random.ts';
import { cacheOf } from '../vm/image.ts';
import { bundleScript } from '../vm/scripts.ts';
import { runInVm } from '../vm/vm.ts';
import { Facts, type Told } from './facts.ts';
import type { Part } from './part.ts';

/** Milliseconds of work before the cut, at most: an emulated machine makes some changes a second. */
const LONGEST = 8000;
/** Milliseconds until the machine has started, and looked at everything. */
const PATIENCE = 900_000;

/** Starts in vain that are allowed: on a busy machine an emulated one may not even reach its kernel. */
const STARTS = 5;

/** @param options.amount power cuts */
export const powerCuts: Part = async ({ amount, seed, say }) => {
  const findings: string[] = [];
  const random = seeded(seed);
  const script = await bundleScript('test/soak/power-cuts-scenes.ts');
  const directory = mkdtempSync(join(cacheOf('x64'), 'power-'));
  try {
    const disk = join(directory, 'disk');
    const factsFile = join(directory, 'facts.json');
    writeFileSync(disk, '');
    truncateSync(disk, 2 * 2 ** 30);
    execFileSync('mkfs.ext4', ['-q', disk]);
    let facts: Told[] = [];
    let starts = 0;
    // One more, which looks at what the last cut has left.
    for (let round = 0; round <= amount && findings.length === 0; round++) {
      writeFileSync(factsFile, JSON.stringify(facts));
      const answered = new Facts();
      const power = new AbortController();
      let verified = false;
      let rest = '';
      const read = (line: string) => {
        const [, what, value] = /^soak: (\w+) (.*)$/.exec(line) ?? [];
        if (what === 'finding' || what === 'log') say(`round ${round}: ${value}`);
        if (what === 'finding') findings.push(`round ${round}: ${JSON.parse(value!)}`);
        if (what === 'told' || what === 'settled')
          for (const told of [JSON.parse(value!)].flat() as Told[])
            answered.tell(told.kind, told.name, told.fate);
        if (what !== 'working') return;
        verified = true;
        setTimeout(() => power.abort(), round === amount ? 0 : random.integer(LONGEST));
      };
      const { output } = await runInVm({
        architecture: 'x64',
        command: ['node_modules/.bin/node', script, factsFile, String(random.integer(2 ** 31))],
        timeout: PATIENCE,
        disk,
        powerOff: power.signal,
        onOutput(text) {
          const lines = (rest + text).split('\n');
          rest = lines.pop()!;
          for (const line of lines) read(line);
        },
      });
      if (!verified && !output.includes('vm: the command begins') && starts++ < STARTS) {
        round--;
        continue;
      }
      if (!verified)
        findings.push(`round ${round}: the machine did not get as far as working:\n${output.slice(-3000)}`);
      facts = answered.all();
      const there = facts.filter(each => each.fate === 'there');
      say(
        `${round} power cuts; ${there.length} things that must be there, ${facts.length - there.length} that may or must not`,
      );
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return findings;
};
