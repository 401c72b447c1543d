// Why a container could not be started: the step that failed, as the child program reported it, and what
// helps.

import type { Finding } from '../../../formats/why-report.ts';
import type { Facts } from './facts.ts';

/** Advice by the error's text; the error's own hint, in parentheses, stays in the sentence. */
const ADVICE: readonly [RegExp, (facts: Facts) => string][] = [
  [
    /port is already allocated|address already in use/,
    () =>
      "Another program or container has the port: 'mini-docker ps' and 'ss -ltnp' show which; or publish another one.",
  ],
  [
    /executable file not found/,
    () => "Name a program that the image has, by its path or in a directory of the image's PATH.",
  ],
  [/no such file or directory/, () => 'Correct the path, or put the file into the image.'],
  [
    /permission denied/,
    () => "Make it executable in the image ('chmod +x'), and let the user of the container reach it.",
  ],
  [
    /exec format/,
    () => 'Take an image for the architecture of this machine, or let a script begin with #!/bin/sh.',
  ],
  [/non running container/, () => 'Start the container whose namespace it joins first.'],
  [/cgroup|controller/i, () => 'Change the limit that the message names, or take it away.'],
  [
    /bind source path does not exist|mount/,
    ({ name }) => `Look at its mounts: 'mini-docker inspect ${name}'.`,
  ],
];

export function startFailed(facts: Facts): Finding | undefined {
  const { name, state, record } = facts;
  if (state.error === '' || state.exitUnknown) return undefined;
  const reason = state.error.replace(/^failed to create task for container: /, '');
  const advice = ADVICE.find(([pattern]) => pattern.test(reason))?.[1](facts);
  return {
    code: 'start-failed',
    sentence: `${name} could not be started: ${reason}.`,
    evidence: [
      `its program: ${[record.path, ...record.args].join(' ')}`,
      `the code that 'start' noted: ${state.exitCode}`,
    ],
    advice:
      advice ?? `'mini-docker run --trace' with the same flags shows each step, and the one that fails.`,
  };
}
