// The daemon is killed with SIGKILL at random moments, again and again, while containers are made, started, write, end
// and are removed. The next one has to find everything again: nothing is lost, nothing comes twice, nothing is left.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeded } from './fuzz/random.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 24);
const CONTAINERS = Number(process.env.CRASH_CONTAINERS ?? 4);
const SEED = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
const random = seeded(SEED);

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(async () => {
  await daemon.stop();
});

interface Answer {
  status: number;
  body: Buffer;
}

/** undefined when the daemon died before its answer was whole: then nothing is known. */
function ask(method: string, path: string, body?: object): Promise<Answer | undefined> {
  return new Promise(resolve => {
    const asked = request(
      {
        socketPath: daemon.socket,
        method,
        path,
        agent: false,
        headers: body ? { 'content-type': 'application/json' } : {},
      },
      reply => {
        const pieces: Buffer[] = [];
        reply.on('data', piece => pieces.push(piece));
        reply.on('end', () => resolve({ status: reply.statusCode!, body: Buffer.concat(pieces) }));
        reply.on('error', () => resolve(undefined));
      },
    );
    asked.on('error', () => resolve(undefined));
    asked.end(body && JSON.stringify(body));
  });
}

async function sure(method: string, path: string, body?: object): Promise<Answer> {
  const answer = await ask(method, path, body);
  if (answer === undefined || answer.status >= 400) {
    throw new Error(`${method} ${path}: ${answer?.status} ${answer?.body}\n${daemon.log().slice(-2000)}`);
  }
  return answer;
}

const json = (answer: Answer) => JSON.parse(answer.body.toString());

function create(name: string, script: string, more: { Tty?: boolean; HostConfig?: object } = {}) {
  const HostConfig = more.HostConfig ?? { NetworkMode: 'none' };
  const body = { Image: 'busybox', Cmd: ['sh', '-c', script], ...more, HostConfig };
  return ask('POST', `/containers/create?name=${name}`, body);
}

/** Lines of one stream, in order. */
async function logged(name: string, stream: 'stdout' | 'stderr', tty = false): Promise<string[]> {
  const { body } = await sure('GET', `/containers/${name}/logs?stdout=1&stderr=1`);
  if (tty) return body.toString().split('\r\n').slice(0, -1);
  let text = '';
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at + 4);
    if (body[at] === (stream === 'stdout' ? 1 : 2)) text += body.toString('utf8', at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text.split('\n').slice(0, -1);
}

const numbered = (count: number, word = '') => Array.from({ length: count }, (_, index) => `${word}${index}`);

const KINDS = ['removed', 'left', 'stopped', 'logged'] as const;

/** The facts about a container that the daemon has confirmed. */
interface Known {
  kind: (typeof KINDS)[number];
  created: boolean;
  started: boolean;
  code: number;
  lines: number;
}

const namespaceLinks = () =>
  execFileSync('nsenter', ['-t', String(daemon.namespaces), '-n', 'ip', '-br', 'link'], { encoding: 'utf8' });

/** Microseconds: a long run must not make logs that take minutes to read. */
const PAUSE = 1000 * Math.ceil(ROUNDS / 24);

/** Writes without pause to both streams until it is told to stop, says how far it came, and exits with 7. */
const WRITER = `trap 'echo end; exit 7' TERM; i=0; while :; do echo $i; echo e$i >&2; i=$((i+1)); [ $((i % 20)) = 0 ] && usleep ${PAUSE}; done`;
const SHORT = (lines: number, code: number) =>
  `i=0; while [ $i -lt ${lines} ]; do echo $i; i=$((i+1)); done; exit ${code}`;

test(
  `a daemon killed ${ROUNDS} times, by seed ${SEED}, loses no container, no exit code and no line`,
  async () => {
    for (const name of ['writer', 'terminal']) {
      await create(name, WRITER, { Tty: name === 'terminal' });
      await sure('POST', `/containers/${name}/start`);
    }
    const pids = async () =>
      Promise.all(
        ['writer', 'terminal'].map(
          async name => json(await sure('GET', `/containers/${name}/json`)).State.Pid,
        ),
      );
    const before = await pids();
    /** By name. */
    const alive = new Map<string, Known>();
    const removed = new Set<string>();

    for (let round = 0; round < ROUNDS; round++) {
      const work = Array.from({ length: CONTAINERS }, async (_, number) => {
        const name = `short-${round}-${number}`;
        const kind = KINDS[number % KINDS.length]!;
        const [code, lines] = [(round + number) % 100, 40 + 7 * number];
        const one: Known = { kind, created: false, started: false, code, lines };
        alive.set(name, one);
        const script = kind === 'stopped' ? WRITER : SHORT(lines, code);
        // Half of them have a network, a published port and a volume, to be given back.
        const HostConfig = { PortBindings: { '80/tcp': [{}] }, Binds: [`${name}:/data`] };
        const more = (round + (number >> 2)) % 2 === 0 ? {} : { HostConfig };
        one.created = (await create(name, script, more))?.status === 201;
        if (!one.created) return;
        one.started = (await ask('POST', `/containers/${name}/start`))?.status === 204;
        if (!one.started) return;
        if (kind === 'stopped') await ask('POST', `/containers/${name}/stop?t=10`);
        if (kind === 'logged') await ask('GET', `/containers/${name}/logs?stdout=1&follow=1`);
        if (kind !== 'removed') return;
        await ask('POST', `/containers/${name}/wait`);
        const gone = await ask('DELETE', `/containers/${name}`);
        if (gone?.status === 204) removed.add(name);
      });
      await sleep(random.integer(120 + 20 * CONTAINERS));
      await daemon.end('SIGKILL');
      await Promise.all(work);
      await daemon.begin();

      const listed = new Map<string, { State: string }>(
        json(await sure('GET', '/containers/json?all=1')).map((each: { Names: string[]; State: string }) => [
          each.Names[0]!.slice(1),
          each,
        ]),
      );
      for (const [name, { kind, created, started, code, lines }] of alive) {
        const there = listed.get(name);
        if (removed.has(name)) expect(there, `${name} was removed`).toBeUndefined();
        // Either outcome is right for a removal whose answer was lost.
        else if (created && (there || kind !== 'removed')) {
          expect(there, `${name} was created`).toBeDefined();
          if (started && kind === 'stopped') {
            const { State } = json(await sure('GET', `/containers/${name}/json`));
            if (!State.Running) expect(State, `${name} was stopped`).toMatchObject({ ExitCode: 7 });
            const lines = await logged(name, 'stdout');
            checkRow(name, lines.at(-1) === 'end' ? lines.slice(0, -1) : lines, '');
          } else if (started) {
            const { StatusCode } = json(await sure('POST', `/containers/${name}/wait`));
            expect(StatusCode, `exit code of ${name}`).toBe(code);
            expect(await logged(name, 'stdout'), `output of ${name}`).toEqual(numbered(lines));
          }
        }
        if (there) await sure('DELETE', `/containers/${name}?force=1`);
      }
      alive.clear();
      expect(await pids(), `round ${round}: the writers are the same processes`).toEqual(before);
    }

    for (const [name, tty] of [
      ['writer', false],
      ['terminal', true],
    ] as const) {
      await sure('POST', `/containers/${name}/kill?signal=TERM`);
      expect(json(await sure('POST', `/containers/${name}/wait`)).StatusCode).toBe(7);
      const lines = await logged(name, 'stdout', tty);
      expect(lines.at(-1)).toBe('end');
      const isError = (line: string) => line.startsWith('e');
      const numbers = lines.slice(0, -1).filter(line => !isError(line));
      expect(numbers.length).toBeGreaterThan(1000);
      checkRow(name, numbers, '');
      checkRow(name, tty ? lines.slice(0, -1).filter(isError) : await logged(name, 'stderr'), 'e');
    }
    const left = readdirSync(join(daemon.dataRoot, 'containers'));
    expect(left).toHaveLength(2);
    expect(readdirSync(join(daemon.runDir, 'connections'))).toEqual([]);
    await expect.poll(() => namespaceLinks()).not.toMatch(/veth/);
    expect(readdirSync(join(daemon.runDir, 'containers'))).toEqual([]);
  },
  30_000 * ROUNDS,
);

/** 0, 1, 2, … and nothing missing or twice; the first place that is wrong is told. */
function checkRow(name: string, lines: string[], word: string): void {
  const wrong = lines.findIndex((line, index) => line !== `${word}${index}`);
  if (wrong < 0) return;
  throw new Error(
    `${name}, line ${wrong} of ${lines.length}: ${lines.slice(Math.max(wrong - 2, 0), wrong + 3)}`,
  );
}
