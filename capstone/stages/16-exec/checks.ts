import { readFileSync } from 'node:fs';
import { idle, namespaceOf, processOf } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [name, word, code, host] = [random.word(), random.word(), random.integer(2, 100), random.word()];
    const [command, second] = [idle(random), idle(random)];
    const client = await lab.start([
      'run',
      '--name',
      name,
      '--hostname',
      host,
      '--memory',
      '50m',
      'busybox',
      'sh',
      '-c',
      `echo ${word} > /tmp/${word}; exec ${command.join(' ')}`,
    ]);
    const pid = await processOf(lab, command, client);
    const ran = await lab.run([
      'exec',
      name,
      'sh',
      '-c',
      `cat /tmp/${word}; hostname; ps | grep -c ${command[1]}; exit ${code}`,
    ]);
    lab.promise('inside', ran.code === code && ran.stdout.startsWith(`${word}\n${host}\n`), {
      promised: `exec ${name} runs a command in the running container: it sees its files and host name, and its exit code is passed on`,
      seen: `${ending(ran)}; ${ran.stderr.trim()}`,
      look: 'setns(2) with /proc/PID/ns/*, or with a pidfd',
    });
    await lab.start(['exec', name, ...second]);
    const entered = await processOf(lab, second);
    for (const kind of ['mnt', 'pid', 'uts', 'ipc', 'net']) {
      lab.promise(`${kind}-namespace`, namespaceOf(entered, kind) === namespaceOf(pid, kind), {
        promised: `the second process is in the same ${kind} namespace`,
        seen: 'it is in another',
        look:
          kind === 'pid'
            ? 'setns of a pid namespace is for children: fork after it'
            : 'all namespaces, not only some',
      });
    }
    lab.promise('group', groupOf(entered) === groupOf(pid), {
      promised: 'it is in the same control group, and its limits hold for it',
      seen: `it is in ${groupOf(entered)}, and the first process in ${groupOf(pid)}`,
      look: 'write the pid to cgroup.procs before the command is executed',
    });
    const fed = await lab.run(['exec', '-i', name, 'cat'], { input: `${word}\n` });
    lab.promise('stdin', fed.stdout === `${word}\n`, {
      promised: 'exec -i passes stdin on',
      seen: ending(fed),
      look: 'descriptor 0',
    });
    const unknown = random.word();
    const none = await lab.run(['exec', unknown, 'true']);
    lab.promise('unknown', none.code !== 0 && none.stderr.trim() !== '', {
      promised: `exec in a container that does not exist (${unknown}) fails with a message`,
      seen: ending(none),
      look: 'the record of containers',
    });
  },
};

/** The path of its memory group. */
function groupOf(pid: number): string | undefined {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const found = lines.find(line => /:memory:/.test(line)) ?? lines.find(line => line.startsWith('0::'));
  return found?.split(':')[2];
}
