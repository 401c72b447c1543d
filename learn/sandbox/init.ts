// Process 1 of a sandbox: it reaps orphans and waits to be killed. It is a program of a dozen system calls in an ELF
// image of its own, so that no process in the sandbox gets near our memory.

import { type Item, mayFail, PR, prctlName, resultOf, sigtimedwait, W, wait4 } from '#linux';
import { ELF_DATA_ADDRESS, encodeElf } from '../../mini-docker/linux/elf.ts';
import { sealedExecutable } from '../../mini-docker/linux/memfd.ts';
import { compile } from '../../mini-docker/linux/program.ts';
import { hostArchitecture } from '../../mini-docker/linux/step.ts';

function initItems(): Item[] {
  const reaped = mayFail(wait4(-1, null, W.NOHANG, null));
  const signal = mayFail(sigtimedwait(new Uint8Array(8).fill(0xff), null, null, 8));
  return [
    prctlName(PR.SET_NAME, 'sandbox'),
    { control: 'label', name: 'reap' },
    reaped,
    // After a pid, there may be more to reap. After 0 or ECHILD, wait for SIGCHLD, which is blocked and so not lost.
    { control: 'when', result: resultOf(reaped), is: 'equal', value: 0, to: 'wait' },
    { control: 'when', result: resultOf(reaped), is: 'different', value: -10, to: 'reap' },
    { control: 'label', name: 'wait' },
    signal,
    { control: 'jump', to: 'reap' },
  ];
}

/** @returns a close-on-exec descriptor for execveat */
export function initExecutable(): number {
  const architecture = hostArchitecture();
  const { code, data } = compile(initItems(), { architecture, dataAddress: ELF_DATA_ADDRESS });
  return sealedExecutable('sandbox-init', encodeElf({ architecture, code, data }));
}
