// Which long tests `.ci/run` runs, so that all of them stay true and none makes it long: some always (`npm run test:ci`),
// one share of the others a day (run-share.ts), and some never, with the reason.
import { chapters } from '../../learn/course.ts';

export interface Share {
  file: string;
  /** Only tests whose names begin with one of these. */
  names?: readonly string[];
}

const CHAPTERS_A_DAY = 4;

/** Each takes at most three minutes on two cores, and needs only what `bin/setup ci` brings. */
export const shares: readonly Share[] = [
  { file: 'test/attacks/execs.long.test.ts' },
  { file: 'test/capstone/capstone.long.test.ts', names: ['mini-docker passes'] },
  { file: 'test/capstone/starters.long.test.ts' },
  { file: 'test/compose-files.long.test.ts' },
  { file: 'test/compose-watch.long.test.ts' },
  { file: 'test/course/last-box.long.test.ts' },
  { file: 'test/fuzz.long.test.ts' },
  ...chapterShares(),
];

const MACHINE = 'it needs more than bin/setup ci brings: other engines, clients or a browser';
const LONGER = 'it takes longer than all others together';
/** The long tests that only `npm run test:long`, or a command of their own, runs. */
export const notInCi: Readonly<Record<string, string>> = {
  'test/arm64.long.test.ts': 'npm run test:arm64',
  'test/machine.long.test.ts': 'npm run test:machine',
  'test/cgroups/v2-chapters.long.test.ts': LONGER,
  'test/rootless.long.test.ts': LONGER,
  'test/view-cost.long.test.ts': 'it measures, and wants the machine for itself',
  'test/hints/other-kernel.long.test.ts': MACHINE,
  'test/clients/ansible.long.test.ts': MACHINE,
  'test/clients/npm-clients.long.test.ts': MACHINE,
  'test/course/web-browser.long.test.ts': MACHINE,
  'test/lxcfs.long.test.ts': MACHINE,
  'test/network-overlay-stores.long.test.ts': MACHINE,
  'test/network-overlay.long.test.ts': MACHINE,
  'test/oci-cri.long.test.ts': MACHINE,
  'test/oci-engines.long.test.ts': MACHINE,
  'test/pictures.long.test.ts': MACHINE,
  'test/prometheus.long.test.ts': MACHINE,
  'test/systemd.long.test.ts': MACHINE,
};

/** @param day number of the day; each share comes once in as many days as there are shares */
export function shareOf(day: number): Share {
  return shares[day % shares.length]!;
}

function chapterShares(): Share[] {
  const slugs = chapters().map(({ slug }) => slug);
  const days = Math.ceil(slugs.length / CHAPTERS_A_DAY);
  return Array.from({ length: days }, (_, day) => ({
    file: 'test/course/chapters.long.test.ts',
    names: slugs.slice(day * CHAPTERS_A_DAY, (day + 1) * CHAPTERS_A_DAY),
  }));
}
