import { namespaceOf, shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const name = lab.random.word();
    const named = await shell(lab, 'hostname; cat /proc/sys/kernel/hostname', ['--hostname', name]);
    lab.promise('hostname', named.stdout === `${name}\n${name}\n`, {
      promised: `run --hostname ${name} sets the host name`,
      seen: ending(named),
      look: 'sethostname(2) in the new UTS namespace',
    });
    const outside = await lab.command(['hostname']);
    lab.promise('not-outside', outside.stdout === 'sandbox\n', {
      promised: 'the machine keeps its name, sandbox',
      seen: `its name is ${outside.stdout.trim()}`,
      look: 'CLONE_NEWUTS, and the order of the calls',
    });
    const unnamed = await shell(lab, 'hostname');
    lab.promise('default', unnamed.stdout.trim() !== '' && unnamed.stdout !== 'sandbox\n', {
      promised: "without --hostname it has a name of its own, too, and not the machine's",
      seen: ending(unnamed),
      look: 'Docker takes the first twelve digits of the id',
    });
    const { pid } = await waiting(lab);
    for (const kind of ['uts', 'ipc']) {
      lab.promise(`${kind}-namespace`, namespaceOf(pid, kind) !== namespaceOf(lab.sandbox.pid, kind), {
        promised: `the container has a ${kind} namespace of its own`,
        seen: 'it is in that of the machine',
        look: `CLONE_NEW${kind.toUpperCase()}`,
      });
    }
  },
};
