// The same commands given to runc and to this runtime, and their answers compared: exit codes, output, errors.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, Bundle, has, OURS } from './testing/bundle.ts';

const canCompare = has('runc');
let ours: Bundle;
let runcs: Bundle;

beforeAll(() => {
  ours = new Bundle(OURS);
  if (canCompare) runcs = new Bundle('runc');
});

afterAll(async () => {
  await ours[Symbol.asyncDispose]();
  if (canCompare) await runcs[Symbol.asyncDispose]();
});

/** Without what differs from one run to the next, and the runtime's own name. */
function comparable({ code, stdout, stderr }: Answer, { directory }: Bundle): Answer {
  const same = (text: string): string =>
    text
      .replaceAll(directory, 'DIRECTORY')
      .replaceAll('mini-docker-runtime', 'runc')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/1\.0\.2-dev|1\.2\.0/g, 'VERSION')
      .replace(/"pid": ?[1-9]\d*/g, '"pid": PID')
      .replace(/^(\S+ +)[1-9]\d* +/gm, '$1PID ')
      .replace(/ +/g, ' ');
  // runc adds the help, which is worded in its own way.
  const usage = /^Incorrect Usage/.test(stdout) ? 'Incorrect Usage' : same(stdout);
  return { code, stdout: usage, stderr: same(stderr).replace(/^time=TIME /gm, '') };
}

/** Runs the same actions with both, and compares each answer. */
function compare(acts: (bundle: Bundle) => Answer[]): Answer[] {
  const own = acts(ours).map(answer => comparable(answer, ours));
  expect(own).toEqual(acts(runcs).map(answer => comparable(answer, runcs)));
  return own;
}

test.skipIf(!canCompare)("a container's life gives runc's answers, states and exit codes", () => {
  const answers = compare(bundle => {
    bundle.configure(['sleep', '1000']);
    const killed = (): Answer => {
      const answer = bundle.call('kill', 'c', 'KILL');
      while (!bundle.call('state', 'c').stdout.includes('"stopped"'));
      return answer;
    };
    return [
      bundle.create('c'),
      bundle.call('state', 'c'),
      bundle.create('c'),
      bundle.call('list'),
      bundle.call('list', '-q'),
      bundle.call('list', '--format', 'json'),
      bundle.call('start', 'c'),
      bundle.call('start', 'c'),
      bundle.call('exec', 'c', 'echo', 'from exec'),
      bundle.call('exec', 'c', 'sh', '-c', 'exit 7'),
      bundle.call('exec', '--cwd', '/tmp', '-e', 'A=b', 'c', 'sh', '-c', 'pwd; echo $A'),
      bundle.call('exec', '--user', '5:6', 'c', 'id', '-u'),
      bundle.call('exec', 'c', 'nothing'),
      bundle.call('exec', 'c', '/nothing'),
      bundle.call('exec', 'c', '/etc'),
      bundle.call('exec', '--tty', '--detach', 'c', 'true'),
      bundle.call('delete', 'c'),
      bundle.call('kill', 'c', 'NOSUCH'),
      bundle.call('pause', 'c'),
      bundle.call('pause', 'c'),
      bundle.call('exec', 'c', 'true'),
      bundle.call('list'),
      bundle.call('resume', 'c'),
      bundle.call('resume', 'c'),
      bundle.call('kill', 'c', '0'),
      killed(),
      bundle.call('state', 'c'),
      bundle.call('list'),
      bundle.call('kill', 'c'),
      bundle.call('exec', 'c', 'true'),
      bundle.call('start', 'c'),
      bundle.call('delete', 'c'),
      bundle.call('delete', 'c'),
      bundle.call('delete', '--force', 'c'),
      bundle.call('state', 'c'),
      bundle.call('list'),
    ];
  });
  expect(answers[1]!.stdout).toContain('"status": "created"');
  expect(answers[8]).toMatchObject({ code: 0, stdout: 'from exec\n' });
  expect(answers[9]!.code).toBe(7);
  expect(answers[12]!.code).toBe(255);
});

test.skipIf(!canCompare)('run gives its program the streams, and takes over its exit code', () => {
  compare(bundle => {
    bundle.configure('cat; echo oops >&2; exit 42');
    const answer = bundle.callWith({ input: 'in\n' }, 'run', 'c');
    expect(answer).toEqual({ code: 42, stdout: 'in\n', stderr: 'oops\n' });
    return [answer, bundle.call('list')];
  });
});

test.skipIf(!canCompare)('what is wrong with a command line or a bundle is said in the same words', () => {
  compare(bundle => {
    const answers = [
      bundle.call('start'),
      bundle.call('state', 'a', 'b'),
      bundle.call('run', '--bogus', 'c'),
      bundle.call('run', '-dx', 'c'),
      bundle.call('run', '-b'),
      bundle.call('list', '-quiet=false', '--format=json'),
      bundle.call('-debug=false', 'list', '-q=perhaps'),
      bundle.call('create', 'a/b'),
      bundle.call('spec'),
      bundle.call('kill', 'missing'),
      bundle.call('ps', 'missing'),
      bundle.call('events', '--stats', 'missing'),
      bundle.call('pause', 'missing'),
    ];
    bundle.configure(['true'], spec => {
      spec.linux.cgroupsPath = 'slice:prefix:name';
    });
    answers.push(bundle.call('--systemd-cgroup', 'run', 'c'));
    bundle.configure(['nothing']);
    answers.push(bundle.call('run', 'c'));
    bundle.configure(['/nothing']);
    answers.push(bundle.call('run', 'c'));
    bundle.configure(['true'], spec => {
      spec.process.terminal = true;
    });
    answers.push(bundle.create('c'), bundle.call('list'));
    return answers;
  });
});

test.skipIf(!canCompare)('the log file has the same lines, and a process id is written to its file', () => {
  compare(bundle => {
    const log = join(bundle.directory, 'log');
    const answer = bundle.call('--log', log, '--log-format', 'json', 'state', 'missing');
    const text = readFileSync(log, 'utf8');
    bundle.configure(['sleep', '1000']);
    bundle.create('c', '--pid-file', 'pid');
    const pid = readFileSync(join(bundle.directory, 'pid'), 'utf8');
    const inside = JSON.parse(bundle.call('state', 'c').stdout).pid;
    const rows = bundle.call('ps', '--format', 'json', 'c').stdout;
    const told: Answer = {
      code: Number(pid === String(inside) && rows.trim() === `[${pid}]`),
      stdout: text,
      stderr: '',
    };
    expect(told.code).toBe(1);
    return [answer, told, bundle.call('delete', '--force', 'c')];
  });
});

test.skipIf(!canCompare)('spec writes the example of runc', () => {
  const written = (bundle: Bundle, ...options: string[]): object => {
    rmSync(join(bundle.directory, 'config.json'));
    expect(bundle.call('spec', ...options).code).toBe(0);
    return JSON.parse(readFileSync(join(bundle.directory, 'config.json'), 'utf8'));
  };
  for (const options of [[], ['--rootless']]) {
    const changed = { ociVersion: '', hostname: '' };
    expect({ ...written(ours, ...options), ...changed }).toEqual({
      ...written(runcs, ...options),
      ...changed,
    });
  }
});

test.skipIf(!canCompare)('inside, both show the same', () => {
  compare(bundle => {
    bundle.configure(
      [
        'hostname; pwd; id; env; cat /proc/1/limits | head -8; grep -e ^Cap -e NoNew -e Seccomp /proc/self/status',
        'ls -l /dev | grep -v -e total -e core -e mqueue -e shm -e pts',
        'for f in /proc/kcore /proc/keys /proc/acpi /sys/firmware; do ls $f 2>&1; cat $f 2>&1 | head -c 10; done',
        'echo x >/proc/sys/kernel/hostname; echo x >/file; readlink /proc/self/fd/0 /proc/self/ns/net >/tmp/x',
        'cat /proc/self/oom_score_adj; grep -e pids -e memory /proc/self/cgroup',
      ].join('\n'),
      spec => {
        spec.process.noNewPrivileges = true;
        spec.linux.sysctl = { 'net.ipv4.ip_forward': '1' };
      },
    );
    const { code, stdout, stderr } = bundle.call('run', 'c');
    const dates = /[A-Z][a-z]{2} +\d+ \d\d:\d\d/g;
    const own = bundle.cgroup;
    return [{ code, stdout: stdout.replace(dates, 'DATE').replaceAll(own, '/GROUP'), stderr }];
  });
});

test.skipIf(!canCompare)(
  'a container that waits for its start can be paused, and ended by any signal',
  () => {
    const answers = compare(bundle => {
      bundle.configure(['sleep', '1000']);
      const ended = (signal: string): Answer => {
        const answer = bundle.call('kill', 'c', signal);
        while (!bundle.call('state', 'c').stdout.includes('"stopped"'));
        return answer;
      };
      return [
        bundle.create('c'),
        bundle.call('pause', 'c'),
        bundle.call('state', 'c'),
        bundle.call('start', 'c'),
        bundle.call('resume', 'c'),
        bundle.call('state', 'c'),
        bundle.call('kill', 'c', 'WINCH'),
        bundle.call('state', 'c'),
        ended('TERM'),
        bundle.call('start', 'c'),
        bundle.call('delete', 'c'),
      ];
    });
    expect(answers[2]!.stdout).toContain('"paused"');
    expect(answers[3]!.code).toBe(1);
    expect(answers[7]!.stdout).toContain('"created"');
  },
);

test.skipIf(!canCompare)('a program that is found and cannot be executed says why', () => {
  compare(bundle => {
    const file = join(bundle.directory, 'rootfs/tmp/program');
    const run = (content: string): Answer => {
      writeFileSync(file, content, { mode: 0o755 });
      bundle.configure(['/tmp/program']);
      return bundle.call('run', 'c');
    };
    const answers = [run('no program'), run('#!/no/interpreter\n')];
    expect(answers[0]).toEqual({ code: 1, stdout: '', stderr: 'exec /tmp/program: exec format error\n' });
    return answers;
  });
});
