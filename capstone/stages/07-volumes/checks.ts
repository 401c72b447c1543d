import { shell } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [source, target, text, back] = [
      `/tmp/${random.word()}`,
      `/${random.word()}/${random.word()}`,
      random.word(),
      random.word(),
    ];
    await lab.command(['sh', '-c', `mkdir -p ${source}; echo ${text} > ${source}/in`]);
    const read = await shell(lab, `cat ${target}/in; echo ${back} > ${target}/out`, [
      '-v',
      `${source}:${target}`,
    ]);
    lab.promise('shown', read.stdout === `${text}\n`, {
      promised: `-v ${source}:${target} shows the machine's directory in the container; the mount point is made`,
      seen: ending(read),
      look: 'a bind mount, before the root is changed',
    });
    const written = await lab.command(['cat', `${source}/out`]);
    lab.promise('written', written.stdout === `${back}\n`, {
      promised: 'what the container writes there is on the machine',
      seen: written.stdout === '' ? 'there is no such file' : ending(written),
      look: 'is it the directory itself, or a copy?',
    });
    const refused = await shell(lab, `cat ${target}/in; echo x > ${target}/no`, [
      '-v',
      `${source}:${target}:ro`,
    ]);
    const no = await lab.command(['test', '-e', `${source}/no`]);
    lab.promise('read-only', refused.stdout === `${text}\n` && refused.code !== 0 && no.code !== 0, {
      promised: 'with :ro it can be read, and not written',
      seen: no.code === 0 ? 'it was written' : ending(refused),
      look: 'MS_RDONLY takes effect only with MS_REMOUNT | MS_BIND, in a second call',
    });
    const [one, two] = [random.word(), random.word()];
    await lab.command([
      'sh',
      '-c',
      `mkdir -p /tmp/${one} /tmp/${two}; echo ${one} > /tmp/${one}/f; echo ${two} > /tmp/${two}/f`,
    ]);
    const both = await shell(lab, 'cat /a/f /b/f', ['-v', `/tmp/${one}:/a`, '-v', `/tmp/${two}:/b`]);
    lab.promise('several', both.stdout === `${one}\n${two}\n`, {
      promised: 'two -v give two volumes',
      seen: ending(both),
      look: 'an option that may be repeated',
    });
  },
};
