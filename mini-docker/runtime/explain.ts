// Decodes the steps of a start for people, with results and times if they were executed.
import type { ExplainedStep } from '../formats/explanation.ts';
import { describe } from '../linux/describe.ts';
import { errnoName } from '../linux/errno.ts';
import type { Item } from '../linux/program.ts';
import type { Results } from '../linux/results.ts';
import type { Step } from '../linux/step.ts';
import type { Section } from './section.ts';

/** The purpose of each section of a start. */
const PURPOSES: readonly (readonly [RegExp, string])[] = [
  [/^monitor$/, 'the parent that outlives the daemon: it clones the first process into its namespaces'],
  [/^user namespace$/, 'root inside is an ordinary user outside'],
  [/^control group$/, 'the process joins its control groups before it uses resources'],
  [/^namespaces of others$/, 'the namespaces that it shares with another container or the host'],
  [/^the daemon begins$/, 'the namespaces are there, and the daemon can work on them'],
  [/^session and streams$/, 'its input and output are pipes that the monitor holds'],
  [/^through the host's \/proc$/, 'settings that can be written only while the host is still in sight'],
  [
    /^what comes from outside$/,
    'volumes and new file systems, opened while the host is in sight, not attached yet',
  ],
  [/^mount propagation$/, 'mounts of the container stay its own'],
  [/^nothing$/, 'a /dev/null of its own, for standard input and hidden files'],
  [/^root filesystem$/, 'the layers become one tree, which becomes /; the host is out of reach from here on'],
  [/^names$/, 'host name and domain name'],
  [/^mount /, 'a mount from above is attached, at a path resolved inside the new root'],
  [/^devices$/, 'the few device nodes that a program expects'],
  [/^control groups, read-only$/, 'the container can see its limits, and not change them'],
  [/^terminal$/, "a pty from the container's own /dev/pts"],
  [/^\/proc$/, 'proof that /proc is really a proc file system'],
  [/^kernel parameters$/, 'the sysctls that belong to its namespaces'],
  [
    /^files of the kernel$/,
    'the mode of a file in /proc is the same for the whole machine: none can be changed',
  ],
  [/^masked and read-only paths$/, 'files of /proc and /sys that concern the whole host'],
  [/^working directory$/, 'the place where the program starts'],
  [/^read-only root$/, '--read-only, after everything has been mounted'],
  [/^user and rights$/, 'capabilities, user and system call filter; privileges go last'],
  [/^wait for start$/, 'until the network is connected and the start is requested'],
  [/^program$/, 'every descriptor is closed, and the program takes over'],
  [/^the monitor goes on$/, 'the monitor waits for the program to exit, and records its status'],
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
  // The first section, before the clone, and the last one run in the monitor.
  const monitor = new Set([sections[0]?.title, sections.at(-1)?.title]);
  return listed.map(({ title, step }, index) => ({
    number: index + 1,
    group: title,
    purpose: purposeOf(title),
    call: describe(step, earlier => positions.get(earlier.key)!),
    reason: step.why ?? '',
    by: monitor.has(title) ? 'monitor' : 'container',
    // A step without a time was skipped, or is the execve that did not return.
    ...(results === undefined || times?.[index] === undefined
      ? {}
      : { ...resultFields(results.of(step)), microseconds: times[index] }),
  }));
}

function resultFields(result: number): Pick<ExplainedStep, 'result' | 'error'> {
  return result < 0 && result > -4096 ? { result: -1, error: errnoName(-result) } : { result };
}
