// The checks of exercise 18: frames, a wait that is asked late, a command that is found again, restarts.
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity, SIG } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'frames', title: 'One connection, two streams', points: 3, file: 'frames.ts', check: checkFrames },
    { id: 'wait', title: 'An answer for whoever asks', points: 4, file: 'wait.ts', check: checkWait },
    { id: 'again', title: 'Found again after kill -9', points: 4, file: 'again.ts', check: checkAgain },
    {
      id: 'restart',
      title: 'Again, and later each time',
      points: 4,
      file: 'restart.ts',
      check: checkRestart,
    },
  ],
};

type Running = Awaited<ReturnType<Lab['start']>>;

/** A path in the sandbox, as it is called here. */
const outside = (lab: Lab, path: string): string => `/proc/${lab.sandbox.pid}/root${path}`;

function frame(stream: number, data: Buffer): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

/** Writes pieces to its stdout: hexadecimal digits, *N for N times the same, or the name of a file to wait for. */
const FEEDER = `
const fs = require('node:fs');
(async () => {
  for (const piece of process.argv.slice(1)) {
    if (piece.startsWith('/')) while (!fs.existsSync(piece)) await new Promise(done => setTimeout(done, 20));
    else {
      const [digits, times = 1] = piece.split('*');
      process.stdout.write(Buffer.concat(Array(Number(times)).fill(Buffer.from(digits, 'hex'))));
    }
    await new Promise(done => setTimeout(done, 30));
  }
})();`;

async function checkFrames(lab: Lab): Promise<void> {
  const { random } = lab;
  const feed = (pieces: readonly (Buffer | string)[]): { wrapper: string[] } => {
    const words = pieces.map(piece => (typeof piece === 'string' ? piece : piece.toString('hex')));
    const script = `node -e '${FEEDER.replaceAll("'", '"')}' ${words.join(' ')} | "$@"`;
    return { wrapper: ['sh', '-c', script, 'sh'] };
  };
  const [out, err, more] = [random.word(), random.word(), random.word()];
  const both = Buffer.concat([frame(1, Buffer.from(`${out}\n`)), frame(2, Buffer.from(`${err}\n`))]);
  const whole = await lab.run([], feed([both]));
  lab.promise('two-streams', whole.stdout === `${out}\n` && whole.stderr === `${err}\n`, {
    promised: `two frames in one piece: ${quote(out)} goes to stdout, and ${quote(err)} to stderr`,
    seen: `${ending(whole)}; stderr has ${quote(whole.stderr)}`,
    look: 'the first byte of each header, and what is behind the first frame',
  });
  // More than a pipe holds: however fast the program reads, it never gets it in one piece.
  const line = `${out} ${more}\n`;
  const times = Math.ceil(random.integer(150_000, 250_000) / line.length);
  const [header, first] = [frame(1, Buffer.from(line.repeat(times))).subarray(0, 8), random.integer(1, 7)];
  const pieces = [
    header.subarray(0, first),
    header.subarray(first),
    `${Buffer.from(line).toString('hex')}*${times}`,
  ];
  const torn = await lab.run([], feed([...pieces, both]));
  lab.promise('torn', torn.stdout === `${line.repeat(times)}${out}\n` && torn.stderr === `${err}\n`, {
    promised: `a frame of ${line.length * times} bytes, which arrives in pieces, and then the same two: nothing is lost`,
    seen: `${torn.stdout.length} bytes on stdout, exit code ${torn.code}; stderr has ${quote(torn.stderr)}`,
    look: 'a read ends where it ends, not where a frame ends: keep what is not complete',
  });
  // More than 255 bytes: the length has more than one byte.
  const long = `${more}é`.repeat(random.integer(300, 400));
  const bytes = Buffer.from(long);
  const letter = bytes.indexOf(0xc3) + 1;
  const halves = [frame(1, bytes.subarray(0, letter)), frame(1, bytes.subarray(letter))];
  const spelled = await lab.run([], feed(halves));
  lab.promise('bytes', spelled.stdout === long, {
    promised: `${bytes.length} bytes in two frames, divided in the middle of a letter, arrive as they were`,
    seen:
      spelled.stdout.length === long.length
        ? 'some of them are different'
        : `${Buffer.byteLength(spelled.stdout)} bytes arrived`,
    look: 'bytes that have been made a string, and a length of four bytes',
  });
  const go = `/tmp/${random.word()}`;
  const rest = frame(1, Buffer.from(more));
  const started = await lab.start([], feed([both, rest.subarray(0, 9), go, rest.subarray(9)]));
  const atOnce = await lab.until(() => started.stdout.includes(out));
  await lab.command(['touch', go]);
  const ended = await started.ended;
  lab.promise('at-once', atOnce && ended.stdout === `${out}\n${more}`, {
    promised: 'a frame is written when it is complete, although the stream goes on',
    seen: atOnce ? ending(ended) : 'it is written at the end of the stream',
    look: 'the place of the loop over frames: after each piece',
  });
  const cut = await lab.run([], feed([both, rest.subarray(0, random.integer(3, rest.length - 1))]));
  lab.promise('cut-off', cut.code === 1 && cut.stdout === `${out}\n`, {
    promised:
      'a stream that ends in the middle of a frame: what came before is written, and the program ends with 1',
    seen: ending(cut),
    look: 'what is left when the stream has ended',
  });
}

interface Answer {
  status?: number;
  body: string;
  ended: Promise<void>;
}

/** Asks a server in the sandbox, from outside. */
function ask(lab: Lab, socket: string, path: string, method = 'POST'): Answer {
  const answer: Answer = { body: '', ended: Promise.resolve() };
  const { promise, resolve } = Promise.withResolvers<void>();
  answer.ended = promise;
  const asking = request({ socketPath: outside(lab, socket), path, method, agent: false }, response => {
    answer.status = response.statusCode ?? 0;
    response.setEncoding('utf8').on('data', piece => {
      answer.body += piece;
    });
    response.on('end', resolve).on('error', () => resolve());
  });
  asking.on('error', () => resolve()).end();
  return answer;
}

const codeIn = ({ body }: Answer): unknown => {
  try {
    return (JSON.parse(body) as { StatusCode?: unknown }).StatusCode;
  } catch {
    return undefined;
  }
};

const shown = ({ status, body }: Answer): string =>
  status === undefined ? 'no answer' : `status ${status}, body ${quote(body)}`;

async function checkWait(lab: Lab): Promise<void> {
  const { random } = lab;
  const [socket, go] = [`/tmp/${random.word()}.sock`, `/tmp/${random.word()}`];
  const code = random.integer(3, 100);
  const running = await lab.start([
    socket,
    'sh',
    '-c',
    `until [ -e ${go} ]; do sleep 0.05; done; exit ${code}`,
  ]);
  const listens = await lab.until(() => existsSync(outside(lab, socket)));
  lab.promise('listens', listens, {
    promised: `it listens at ${socket}`,
    seen: 'there is no such socket',
    look: 'server.listen()',
  });
  const early = [ask(lab, socket, '/wait'), ask(lab, socket, '/wait')];
  const heads = await lab.until(() => early.every(({ status }) => status === 200));
  lab.promise('head-at-once', heads, {
    promised: 'the head of the answer to POST /wait is sent at once, while the command runs',
    seen: early.map(shown).join(', and '),
    look: 'when does Node send a head that has been written? response.flushHeaders()',
  });
  lab.promise(
    'not-before',
    early.every(({ body }) => body === ''),
    {
      promised: 'the body is sent when the command has ended, and not before',
      seen: early.map(shown).join(', and '),
      look: 'what does the answer wait for?',
    },
  );
  const others = [ask(lab, socket, `/${random.word()}`), ask(lab, socket, '/wait', 'GET')];
  await lab.within(Promise.all(others.map(({ ended }) => ended)));
  for (const other of others)
    lab.promise('not-found', other.status === 404, {
      promised: 'any other request is answered with 404: another path, and another method',
      seen: shown(other),
      look: 'request.method, request.url',
    });
  await lab.command(['touch', go]);
  await lab.within(Promise.all(early.map(({ ended }) => ended)));
  lab.promise(
    'all-told',
    early.every(answer => codeIn(answer) === code),
    {
      promised: `both clients are told {"StatusCode":${code}}`,
      seen: early.map(shown).join(', and '),
      look: 'how many clients can wait for the same event?',
    },
  );
  const late = ask(lab, socket, '/wait');
  await lab.within(late.ended);
  lab.promise('late', codeIn(late) === code, {
    promised: `a client that asks after the command has ended is told {"StatusCode":${code}}, too`,
    seen: `${shown(late)}${codeIn(late) === undefined ? ', and no end of it' : ''}`,
    look: 'the exit is an event that passes: what can be kept of it?',
  });
  running.kill(SIG.KILL);
  const [signal, number] = random.pick([
    ['KILL', SIG.KILL],
    ['USR1', SIG.USR1],
    ['INT', SIG.INT],
  ] as const);
  const another = `/tmp/${random.word()}.sock`;
  const second = await lab.start([another, 'sh', '-c', `kill -${signal} $$`]);
  await lab.until(() => existsSync(outside(lab, another)));
  const answer = ask(lab, another, '/wait');
  await lab.within(answer.ended);
  second.kill(SIG.KILL);
  lab.promise('signal', codeIn(answer) === 128 + number, {
    promised: `a command that was ended by SIG${signal} has ${128 + number}`,
    seen: shown(answer),
    look: "the second argument of the event 'exit'",
  });
}

async function checkAgain(lab: Lab): Promise<void> {
  const { random } = lab;
  const file = (): string => `/tmp/${random.word()}.json`;
  const probe = ['sleep', `${random.integer(1_000_000, 9_000_000)}`];
  const processes = (): number[] => lab.sandbox.processes().filter(pid => isRunning(pid, probe));
  const says = async (running: Running, text: string): Promise<boolean> =>
    lab.until(() => running.stdout.split('\n').includes(text));
  const record = file();
  const first = await lab.start([record, ...probe]);
  const pid = await lab.find(probe, { running: first });
  const printed = pid !== undefined && (await says(first, `${lab.insidePid(pid)}`));
  lab.promise('starts', printed, {
    promised: `it starts ${probe.join(' ')}, and prints its pid${pid === undefined ? '' : `: ${lab.insidePid(pid)}`}`,
    seen: `${pid === undefined ? 'there is no such process' : 'it runs'}, and the output is ${quote(first.stdout)}`,
    look: 'start()',
  });
  first.kill(SIG.KILL);
  await first.ended;
  const again = await lab.start([record, ...probe]);
  const found = await says(again, `${lab.insidePid(pid!)}`);
  lab.promise('found-again', found && processes().length === 1, {
    promised: `killed and started again, it finds the command, prints ${lab.insidePid(pid!)}, and starts no second one`,
    seen: `${processes().length} of them run, and the output is ${quote(again.stdout)}`,
    look: 'what is in the file by the time the pid is printed?',
  });
  process.kill(pid!, SIG.TERM);
  const ended = await lab.within(again.ended);
  lab.promise('sees-its-end', ended !== undefined, {
    promised: 'it ends when the command that it has found ends',
    seen: 'it still runs',
    look: 'watchExit(): a pidfd tells the end of any process',
  });
  lab.promise('unknown', again.stdout.trim().split('\n').at(-1) === 'ended unknown', {
    promised: 'for a command that it did not start it prints: ended unknown',
    seen: `it printed ${quote(again.stdout)}`,
    look: 'only the parent of a process is told its exit code: what do you know?',
  });
  // The same pid, but started at another time: the pid has passed to another process.
  const stranger = await lab.arrange(['sleep', `${random.integer(1_000_000, 9_000_000)}`]);
  const identity = processIdentity(stranger.pid)!;
  const reused = {
    ...identity,
    pid: lab.insidePid(stranger.pid)!,
    startTime: identity.startTime - random.integer(1, 500),
  };
  await rememberedAs(lab, record, reused);
  const code = random.integer(3, 100);
  const fresh = await lab.start([record, 'sh', '-c', `exit ${code}`]);
  const over = await lab.within(fresh.ended);
  fresh.kill(SIG.KILL);
  stranger.kill(SIG.KILL);
  lab.promise('other-process', over?.stdout.trim().split('\n').at(-1) === `ended ${code}`, {
    promised: `another process has received the pid: it starts the command, and prints: ended ${code}`,
    seen: over === undefined ? 'it waits for the other process' : ending(over),
    look: 'openProcess() compares all three values',
  });
}

/** Replaces what identifies a process in the learner's own file, whatever else it keeps there. */
async function rememberedAs(lab: Lab, file: string, identity: object): Promise<void> {
  const path = outside(lab, file);
  const kept = existsSync(path) ? readFileSync(path, 'utf8') : '{}';
  const changed = Object.entries(identity).reduce(
    (text, [key, value]) =>
      text.replace(new RegExp(`("${key}"\\s*:\\s*)("[^"]*"|[\\d.]+)`), `$1${JSON.stringify(value)}`),
    /^\s*\d+\s*$/.test(kept) ? `${(identity as { pid: number }).pid}` : kept,
  );
  await lab.command(['sh', '-c', 'printf %s "$1" > "$2"', 'sh', changed, file]);
}

function isRunning(pid: number, argv: readonly string[]): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${argv.join('\0')}\0`;
  } catch {
    return false;
  }
}

async function checkRestart(lab: Lab): Promise<void> {
  const { random } = lab;
  const code = random.integer(3, 100);
  const log = (): string => `/tmp/${random.word()}`;
  const linesOf = (path: string): string[] => {
    const file = outside(lab, path);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean) : [];
  };
  /** Writes when it starts and when it ends, in nanoseconds; the run in which `long` holds takes 1.2 s. */
  const script = (path: string, long: string): string[] => [
    'sh',
    '-c',
    `n=$(wc -l < ${path} 2> /dev/null || echo 0); echo "$(date +%s%N)" >> ${path}
     if ${long}; then sleep 1.2; fi; sed -i "\\$s/\\$/ $(date +%s%N)/" ${path}; exit ${code}`,
  ];
  const gaps = (path: string): number[] => {
    const times = linesOf(path).map(line => line.split(' ').map(each => Number(each) / 1e6));
    return times.slice(1).map(([start = 0], at) => Math.round(start - (times[at]![1] ?? 0)));
  };
  // The delays grow until the fifth run, which is a long one.
  const [most, failing] = [random.integer(5, 6), log()];
  const ran = await lab.run([`${most}`, ...script(failing, '[ "$n" -eq 4 ]')]);
  lab.promise('how-often', linesOf(failing).length === most + 1 && ran.code === code, {
    promised: `a command that always fails is started 1 + ${most} times, and the program ends as it did, with ${code}`,
    seen: `it was started ${linesOf(failing).length} times; ${ending(ran)}`,
    look: 'what is counted: starts, or restarts? And process.exitCode',
  });
  const delays = gaps(failing).slice(0, 4);
  const right = delays.every((gap, at) => gap > 90 * 2 ** at && gap < 100 * 2 ** at + lab.patient(1500));
  lab.promise('growing', right, {
    promised: 'it waits 100, 200, 400 and 800 ms before the first restarts',
    seen: `it waited ${delays.join(', ')} ms`,
    look: 'the delay before each restart is twice the one before',
  });
  const last = gaps(failing)[4] ?? 0;
  // A start takes its time on slow machines, which is part of what was measured: each earlier start was at least so slow.
  const start = Math.min(...delays.map((gap, at) => gap - 100 * 2 ** at));
  lab.promise('healthy', last > 90 && last < 1590 + start / 2, {
    promised: 'after the fifth run, which takes 1.2 seconds, it waits 100 ms again, and not 1600',
    seen: `it waited ${last} ms`,
    look: 'how long did the run last?',
  });
  const once = log();
  const mended = await lab.run([
    '5',
    'sh',
    '-c',
    `echo x >> ${once}; [ $(wc -l < ${once}) -eq 2 ] || exit ${code}`,
  ]);
  lab.promise('until-it-works', linesOf(once).length === 2 && mended.code === 0, {
    promised: 'a command that fails once and then works is started twice, and the program ends with 0',
    seen: `it was started ${linesOf(once).length} times; ${ending(mended)}`,
    look: 'a run that ends with 0 is the last',
  });
  const stopped = log();
  const loop = `trap 'exit ${code}' TERM; echo x >> ${stopped}; while :; do sleep 0.05; done`;
  const running = await lab.start(['5', 'sh', '-c', loop]);
  await lab.until(() => linesOf(stopped).length === 1);
  running.kill(SIG.TERM);
  const ended = await lab.within(running.ended);
  lab.promise('stopped', ended?.code === code && linesOf(stopped).length === 1, {
    promised: `on SIGTERM the command is not started again, and the program ends as the command did, with ${code}`,
    seen: `the command was started ${linesOf(stopped).length} times, and ${ended === undefined ? 'the program still runs' : ending(ended)}`,
    look: 'stop.signal.aborted',
  });
  const waiting = log();
  const between = await lab.start(['9', 'sh', '-c', `echo x >> ${waiting}; exit ${code}`]);
  // The delay that follows is 800 ms.
  await lab.until(() => linesOf(waiting).length === 4);
  await sleep(150);
  between.kill(SIG.TERM);
  const over = await lab.within(between.ended);
  await sleep(900);
  lab.promise('stopped-between', over !== undefined && linesOf(waiting).length === 4, {
    promised: 'on SIGTERM between two runs it ends, and starts nothing any more',
    seen: `the command was started ${linesOf(waiting).length - 4} more times, and the program ${over === undefined ? 'still runs' : 'has ended'}`,
    look: 'what does the loop do when the delay was interrupted?',
  });
}
