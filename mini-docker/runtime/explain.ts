// The list of a start, decoded for people, with results and times where it was made.
import type { ExplainedStep } from '../formats/explanation.ts';
import { describe } from '../linux/describe.ts';
import { errnoName } from '../linux/errno.ts';
import type { Item } from '../linux/program.ts';
import type { Results } from '../linux/results.ts';
import type { Step } from '../linux/step.ts';
import type { Section } from './section.ts';

/** Why a start has each of its parts. */
const PURPOSES: readonly (readonly [RegExp, string])[] = [
  [/^monitor$/, 'the parent that outlives the daemon: it clones the first process into its namespaces'],
  [/^user namespace$/, 'root inside is an ordinary user outside'],
  [/^control group$/, 'the process joins its groups before it does anything that costs something'],
  [/^namespaces of others$/, 'what it shares with another container or with the host'],
  [/^the daemon begins$/, 'the namespaces are there, and the daemon can work on them'],
  [/^session and streams$/, 'its input and output are pipes that the monitor holds'],
  [/^through the host's \/proc$/, 'settings that can be written only while the host is still in sight'],
  [
    /^what comes from outside$/,
    'volumes and new file systems, opened while the host can be named, attached to nothing yet',
  ],
  [/^mount propagation$/, 'mounts of the container stay its own'],
  [/^nothing$/, 'an empty file of its own, for standard input and for what is hidden'],
  [/^root filesystem$/, 'the layers become one tree, which becomes /; the host is out of reach from here on'],
  [/^names$/, 'host name and domain name'],
  [/^mount /, 'what was opened before is attached, at a place that is looked up inside the new root'],
  [/^devices$/, 'the few device nodes that a program expects'],
  [/^control groups, read-only$/, 'it can see its limits, and cannot change them'],
  [/^terminal$/, "a pty from the container's own /dev/pts"],
  [/^\/proc$/, 'proof that /proc is really a proc file system'],
  [/^kernel parameters$/, 'the sysctls that belong to its namespaces'],
  [/^masked and read-only paths$/, "what /proc and /sys tell or take that is the host's business"],
  [/^working directory$/, 'the place where the program starts'],
  [/^read-only root$/, '--read-only, after everything has been mounted'],
  [/^user and rights$/, 'capabilities, user and the filter of system calls; given away last'],
  [/^wait for start$/, 'until the network is connected and the start is wanted'],
  [/^program$/, 'every descriptor is closed, and the program takes over'],
  [/^the monitor goes on$/, 'the monitor waits for the end, and writes down how it came'],
];

function purposeOf(title: string): string {
  return PURPOSES.find(([pattern]) => pattern.test(title))?.[1] ?? '';
}

function stepOf(item: Item): Step | undefined {
  if ('syscall' in item) return item;
  return item.control === 'fork' ? item.step : undefined;
}

export function explainSections(sections: readonly Section[], results?: Results): ExplainedStep[] {
  const listed = sections.flatMap(({ title, items }) =>
    items.flatMap(item => {
      const step = stepOf(item);
      return step === undefined ? [] : [{ title, step }];
    }),
  );
  const positions = new Map(listed.map(({ step }, index) => [step.key, index + 1]));
  const times = results?.microseconds();
  // The monitor is ours until it forks, and again at the end.
  const monitor = new Set([sections[0]?.title, sections.at(-1)?.title]);
  return listed.map(({ title, step }, index) => ({
    number: index + 1,
    group: title,
    purpose: purposeOf(title),
    call: describe(step, earlier => positions.get(earlier.key)!),
    reason: step.why ?? '',
    by: monitor.has(title) ? 'monitor' : 'container',
    // Without a time it was passed over, or it is the execve that did not come back.
    ...(results === undefined || times?.[index] === undefined
      ? {}
      : { ...resultFields(results.of(step)), microseconds: times[index] }),
  }));
}

function resultFields(result: number): Pick<ExplainedStep, 'result' | 'error'> {
  return result < 0 && result > -4096 ? { result: -1, error: errnoName(-result) } : { result };
}
