// The checks of exercise 19: a name server, an order, and health.
import { existsSync, readFileSync } from 'node:fs';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';
import { checkDns } from './check-dns.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'dns', title: 'Names that are ours, and others', points: 5, file: 'dns.ts', check: checkDns },
    // Several programs have to be started, and waited for.
    {
      id: 'order',
      title: 'Each in its turn',
      points: 4,
      file: 'order.ts',
      timeLimit: 40_000,
      check: checkOrder,
    },
    {
      id: 'health',
      title: 'Not at the first failure',
      points: 3,
      file: 'health.ts',
      timeLimit: 40_000,
      check: checkHealth,
    },
  ],
};

let files = 0;

/** A fresh path in the sandbox. */
function fresh(lab: Lab, ending = ''): string {
  return `/tmp/${lab.random.word()}-${++files}${ending}`;
}

/** The lines of a file in the sandbox. */
function linesOf(lab: Lab, path: string): string[] {
  const file = `/proc/${lab.sandbox.pid}/root${path}`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean) : [];
}

async function checkOrder(lab: Lab): Promise<void> {
  const { random } = lab;
  const [STARTED, COMPLETED] = ['service_started', 'service_completed_successfully'] as const;
  /** Notes that it runs, and what it does then. */
  const service = (name: string, script: string, others: Record<string, string> = {}): object => ({
    command: ['sh', '-c', `echo ${name} >> $LOG; ${script}`],
    depends_on: Object.fromEntries(
      Object.entries(others).map(([other, condition]) => [other, { condition }]),
    ),
  });
  const runAll = async (
    services: Record<string, object>,
  ): Promise<Awaited<ReturnType<Lab['run']>> & { lines: string[] }> => {
    const [file, LOG] = [fresh(lab, '.yaml'), fresh(lab, '.log')];
    await lab.command(['sh', '-c', `cat > ${file}`], { input: JSON.stringify({ services }) });
    const ran = await lab.run([file], { environment: { LOG } });
    return { ...ran, lines: linesOf(lab, LOG) };
  };
  /** Ends with 0 when a file is there, and with 9 when it does not appear. */
  const awaits = (file: string): string =>
    `for n in $(seq ${Math.ceil(lab.patient(60))}); do if [ -e ${file} ]; then exit 0; fi; sleep 0.05; done; echo late >> $LOG; exit 9`;
  const [a, b, c, d] = [random.word(), random.word(), random.word(), random.word()].map(
    (word, n) => `${word}${n}`,
  ) as [string, string, string, string];

  const first = await runAll({
    [a]: service(a, 'true', { [b]: COMPLETED }),
    [b]: service(b, `sleep 0.3; echo ${b}-ended >> $LOG`, { [c]: COMPLETED }),
    [c]: service(c, `sleep 0.1; echo ${c}-ended >> $LOG`),
  });
  lab.promise(
    'completed',
    first.lines.join(' ') === `${c} ${c}-ended ${b} ${b}-ended ${a}` && first.code === 0,
    {
      promised: `${a} is started when ${b} has completed, and ${b} when ${c} has, although the file has them the other way round`,
      seen: `what happened: ${first.lines.join(', ') || 'nothing'}; exit code ${first.code}`,
      look: 'what is awaited before start()',
    },
  );

  const flag = fresh(lab);
  const second = await runAll({
    [b]: service(b, `touch ${flag}`, { [a]: STARTED }),
    [a]: service(a, awaits(flag)),
  });
  lab.promise('started', second.lines.toSorted().join(' ') === [a, b].toSorted().join(' '), {
    promised: `${b} is started when ${a} is started, and does not wait for its end`,
    seen: `what happened: ${second.lines.join(', ') || 'nothing'}`,
    look: 'the two conditions are different',
  });

  const [one, other] = [fresh(lab), fresh(lab)];
  const third = await runAll({
    [a]: service(a, `touch ${one}; ${awaits(other)}`),
    [b]: service(b, 'true', { [a]: COMPLETED }),
    [c]: service(c, `touch ${other}; ${awaits(one)}`),
  });
  lab.promise('at-the-same-time', !third.lines.includes('late') && third.code === 0, {
    promised: `${a} and ${c} do not wait for each other, and run at the same time`,
    seen: third.lines.includes('late') ? 'they ran one after the other' : ending(third),
    look: 'a loop that awaits each service before it goes on to the next',
  });

  const diamond = await runAll({
    [a]: service(a, 'true', { [b]: COMPLETED, [c]: COMPLETED }),
    [b]: service(b, 'true', { [d]: STARTED }),
    [c]: service(c, 'true', { [d]: STARTED }),
    [d]: service(d, 'true'),
  });
  lab.promise(
    'once',
    diamond.code === 0 && diamond.lines.toSorted().join(' ') === [a, b, c, d].toSorted().join(' '),
    {
      promised: `${a} depends on ${b} and ${c}, both depend on ${d}: that is no circle, and each is started once`,
      seen: `started: ${diamond.lines.join(', ') || 'nothing'}; exit code ${diamond.code}`,
      look: 'two ways lead to the same service',
    },
  );

  const failing = await runAll({
    [c]: service(c, 'true', { [b]: STARTED }),
    [b]: service(b, 'true', { [a]: COMPLETED }),
    [a]: service(a, `exit ${random.integer(2, 99)}`),
    [d]: service(d, 'sleep 0.3; echo end >> $LOG'),
  });
  const right = failing.lines.includes('end') && !failing.lines.includes(b) && !failing.lines.includes(c);
  lab.promise('failed', right && failing.code === 1, {
    promised: `${a} fails, so ${b} is not started, nor ${c}, which depends on ${b}; ${d} runs; the exit code is 1`,
    seen: `what happened: ${failing.lines.join(', ') || 'nothing'}; exit code ${failing.code}`,
    look: 'what becomes of those who wait for one that is never started?',
  });

  const circle = await runAll({
    [d]: service(d, 'true'),
    [a]: service(a, 'true', { [b]: STARTED }),
    [b]: service(b, 'true', { [c]: STARTED, [d]: STARTED }),
    [c]: service(c, 'true', { [a]: COMPLETED }),
  });
  lab.promise('circle', circle.code === 1 && circle.lines.length === 0, {
    promised: `${a} depends on ${b}, ${b} on ${c}, and ${c} on ${a}: nothing is started, not even ${d}, and the exit code is 1`,
    seen: `started: ${circle.lines.join(', ') || 'nothing'}; exit code ${circle.code}`,
    look: 'is there an order at all? Ask before the first start',
  });
}

async function checkHealth(lab: Lab): Promise<void> {
  const { random } = lab;
  const retries = random.integer(2, 4);
  const few = '1'.repeat(retries - 1);
  const many = '1'.repeat(retries);
  /** Runs checks that end with these digits. @returns what the program had printed after n of them */
  const plan = async (digits: string): Promise<(n: number) => string> => {
    const [count, out, seen] = [fresh(lab), fresh(lab), fresh(lab)];
    await lab.command(['sh', '-c', `echo 0 > ${count}`]);
    const script = `
      read n < ${count}; echo $((n + 1)) > ${count}; tr '\\n' ' ' < ${out} >> ${seen}; echo >> ${seen}
      set -- ${[...digits].join(' ')} 0; [ $n -lt $# ] || n=$(($# - 1)); shift $n; exit $1`;
    const wrapper = ['sh', '-c', `exec "$@" > ${out}`, 'sh'];
    const running = await lab.start(['20', '5000', `${retries}`, 'sh', '-c', script], { wrapper });
    await lab.until(() => linesOf(lab, seen).length > digits.length);
    running.kill(9);
    const lines = linesOf(lab, seen);
    return n => lines[n]?.trim() ?? 'nothing: there were not so many checks';
  };
  const kept = (name: string, digits: string, told: { seen: string; promised: string; look: string }): void =>
    lab.promise(name, told.seen === told.promised, {
      promised: `with ${retries} retries, after checks that ended with ${[...digits].join(' ')}, it has printed: ${told.promised}`,
      seen: `it has printed: ${told.seen}`,
      look: told.look,
    });
  const well = `${few}0`;
  const mixed = `${well}${well}${well}`;
  const ill = `${mixed}${many}`;
  const after = await plan(`${ill}10`);
  kept('healthy', few, {
    seen: after(few.length),
    promised: 'starting',
    look: 'fewer failures than RETRIES change nothing',
  });
  kept('healthy', well, {
    seen: after(well.length),
    promised: 'starting healthy',
    look: 'one success makes it healthy',
  });
  kept('in-a-row', mixed, {
    seen: after(mixed.length),
    promised: 'starting healthy',
    look: 'failures count only one after another',
  });
  kept('unhealthy', `${ill}1`, {
    seen: after(ill.length + 1),
    promised: 'starting healthy unhealthy',
    look: 'how many failures are enough, and how often is it printed?',
  });
  kept('recovers', `${ill}10`, {
    seen: after(ill.length + 2),
    promised: 'starting healthy unhealthy healthy',
    look: 'one success makes it healthy, whatever it was before',
  });
  kept('never-healthy', many, {
    seen: (await plan(many))(many.length),
    promised: 'starting unhealthy',
    look: 'a service that was never healthy can be unhealthy',
  });
  const argv = ['sleep', `${random.integer(1_000_000, 9_000_000)}`];
  const slow = await lab.start(['20', '150', '2', ...argv]);
  const told = await lab.until(() => slow.stdout.includes('unhealthy'));
  lab.promise('timeout', told, {
    promised:
      'a command that never ends has failed after the timeout, and after two of them it prints: unhealthy',
    seen: `it printed: ${slow.stdout.trim().split('\n').join(', ')}`,
    look: 'what does passes() wait for?',
  });
  // Two checks are over. What was not ended stays: there would never be fewer than two.
  const ended = await lab.until(() => left(lab, argv) <= 1);
  const running = left(lab, argv);
  slow.kill(9);
  lab.promise('ended', ended, {
    promised: 'a command that takes too long is ended: never do two of them run',
    seen: `${running} of them run`,
    look: 'to stop waiting for a process does not end it',
  });
}

/** How many processes in the sandbox have these arguments. */
function left(lab: Lab, argv: readonly string[]): number {
  return lab.sandbox.processes().filter(pid => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${argv.join('\0')}\0`;
    } catch {
      return false;
    }
  }).length;
}
