// Why a container could not be started: the step that failed, as the child program reported it, and what
// helps.

import type { Finding } from '../../../formats/why-report.ts';
import type { Facts } from './facts.ts';

/** Advice by the error's text; the error's own hint, in parentheses, stays in the sentence. */
const ADVICE: readonly [RegExp, (facts: Facts, match: RegExpExecArray) => string][] = [
  [
    /^network (\S+) not found/,
    (_, [, network]) =>
      `The network was removed: 'mini-docker network create ${network}' makes it anew, or create the container on another one.`,
  ],
  [
    /^No such container/,
    () => 'The container whose namespaces it joins was removed: create both anew, that one first.',
  ],
  [
    /^Address already in use: (\S+) on network (\S+)/,
    (_, [, address, network]) =>
      `'mini-docker network inspect ${network}' shows which container has ${address}: stop that one, or create this one with another '--ip'.`,
  ],
  [
    /custom device "([^"]+)"/,
    (_, [, device]) =>
      `Look whether the host has ${device}: its driver may not be loaded, or the device may not be plugged in.`,
  ],
  [
    /"\/proc\/sys\/([^"]+)"/,
    (_, [, setting]) =>
      `This kernel has no setting ${setting?.replaceAll('/', '.')} in a container's namespaces: correct the name after '--sysctl', or load the module that it belongs to.`,
  ],
  [
    /port is already allocated|address already in use/,
    ({ portHolder }) =>
      portHolder?.advice ??
      "Another program or container has the port: 'mini-docker ps' and 'ss -ltnp' show which; or publish another one.",
  ],
  [
    /unable to find (user|group)/,
    (_, [, kind]) =>
      `Name one that the image has in /etc/${kind === 'user' ? 'passwd' : 'group'}, add it there ('RUN adduser …'), or give a number, which needs no entry.`,
  ],
  [
    /mounting volume ([^\s:]+): .* does not exist/,
    (_, [, volume]) =>
      `The directory of the volume was removed by hand. 'mini-docker volume rm -f ${volume}' and 'mini-docker volume create ${volume}' make an empty one; what was in it is gone.`,
  ],
  [
    /bind source path does not exist: (\S+)/,
    (_, [, path]) => `Create ${path} on the host, or correct it; '-v' creates a directory that is missing.`,
  ],
  [
    /exec format/,
    () => 'Take an image for the architecture of this machine, or let a script begin with #!/bin/sh.',
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
  [/non running container/, () => 'Start the container whose namespace it joins first.'],
  [/cgroup|controller/i, () => 'Change the limit that the message names, or take it away.'],
  [
    /bind source path does not exist|mount/,
    ({ name }) => `Look at its mounts: 'mini-docker inspect ${name}'.`,
  ],
];

export function startFailed(facts: Facts): Finding | undefined {
  const { name, state, record, portHolder } = facts;
  if (state.error === '' || state.exitUnknown) return undefined;
  const reason = state.error.replace(/^failed to create task for container: /, '');
  const advice = ADVICE.map(([pattern, advise]) => {
    const match = pattern.exec(reason);
    return match === null ? undefined : advise(facts, match);
  }).find(each => each !== undefined);
  return {
    code: 'start-failed',
    sentence: `${name} could not be started: ${reason}.`,
    evidence: [
      `its program: ${[record.path, ...record.args].join(' ')}`,
      `the code that 'start' noted: ${state.exitCode}`,
      ...(portHolder === undefined ? [] : [`the port is taken by ${portHolder.who}`]),
    ],
    advice:
      advice ?? `'mini-docker run --trace' with the same flags shows each step, and the one that fails.`,
  };
}
