import { readStat } from '#linux';
import { does, idle, isAlive, processOf } from '../../../learn/capstone/container.ts';
import { STATE } from '../../../learn/capstone/kit.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  timeLimit: 40_000,
  async check(lab) {
    const { random } = lab;
    const [name, word, code] = [random.word(), random.word(), random.integer(2, 100)];
    const script = `echo run >> /runs; touch /${word}; trap 'echo ${word}; exit ${code}' TERM; echo ready; while :; do sleep 0.05; done`;
    const ready = (): Promise<boolean> =>
      lab.until(async () => (await lab.run(['logs', name])).stdout.includes('ready'));
    await does(lab, 'run', '-d', '--name', name, 'busybox', 'sh', '-c', script);
    await ready();
    await does(lab, 'stop', name);
    const logs = await lab.run(['logs', name]);
    const waited = await lab.run(['wait', name]);
    lab.promise('term', logs.stdout.includes(word) && waited.stdout.trim() === `${code}`, {
      promised: `stop sends SIGTERM: the trap prints ${word} and exits with ${code}`,
      seen: `logs: ${ending(logs)}; wait: ${ending(waited)}`,
      look: 'SIGTERM to process 1 of the container, and then wait',
    });
    await does(lab, 'start', name);
    await lab.until(async () => (await lab.run(['logs', name])).stdout.split('ready').length === 3);
    const runs = await lab.run(['exec', name, 'cat', '/runs']);
    lab.promise('start', runs.stdout === 'run\nrun\n', {
      promised: 'start runs it again, with the same command and the files that it had',
      seen: ending(runs),
      look: 'the upperdir stays until rm',
    });
    const refused = await lab.run(['rm', name]);
    lab.promise('rm-running', refused.code !== 0 && (await lab.run(['ps'])).stdout.includes(name), {
      promised: 'rm of a running container is refused',
      seen: ending(refused),
      look: 'is it running? Ask the kernel',
    });
    await does(lab, 'kill', name);
    const killed = await lab.run(['wait', name]);
    lab.promise('kill', killed.stdout.trim() === '137', {
      promised: 'kill sends SIGKILL: its exit code is 137',
      seen: `wait: ${ending(killed)}`,
      look: '128 + 9',
    });
    await does(lab, 'rm', name);
    const listed = await lab.run(['ps', '-a']);
    lab.promise('rm', !listed.stdout.includes(name), {
      promised: 'rm removes it: ps -a lists it no longer',
      seen: ending(listed),
      look: 'the record, and the upperdir',
    });
    const left = async () => (await lab.command(['find', STATE, '-name', word])).stdout.trim();
    lab.promise('rm-files', await lab.until(async () => (await left()) === ''), {
      promised: `rm removes what the container has written: /${word}`,
      seen: `there is ${await left()}`,
      look: 'the upperdir',
    });
    const [deaf, command] = [random.word(), idle(random)];
    await does(lab, 'run', '-d', '--name', deaf, 'busybox', ...command);
    const pid = await processOf(lab, command);
    const start = readStat(pid)?.startTime;
    const begun = Date.now();
    await does(lab, 'stop', '-t', '1', deaf);
    const gone = !isAlive(pid) || readStat(pid)?.startTime !== start;
    lab.promise('grace', gone && Date.now() - begun > 900, {
      promised: 'a process 1 without a handler does not notice SIGTERM: after the time of -t 1 it is killed',
      seen: gone ? 'it was ended at once' : 'it still runs',
      look: 'SIGTERM, wait at most so many seconds, SIGKILL',
    });
    const [forced, third] = [random.word(), idle(random)];
    await does(lab, 'run', '-d', '--name', forced, 'busybox', ...third);
    const victim = await processOf(lab, third);
    await does(lab, 'rm', '-f', forced);
    lab.promise('force', await lab.until(() => !isAlive(victim), 3000), {
      promised: 'rm -f ends a running container, and removes it',
      seen: 'its process still runs',
      look: 'kill, wait, remove',
    });
  },
};
