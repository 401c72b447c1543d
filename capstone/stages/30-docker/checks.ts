import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending, quote } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  points: 3,
  needsProgram: 'docker',
  timeLimit: 90_000,
  async check(lab) {
    const { random } = lab;
    const host = `unix:///tmp/${random.word()}.sock`;
    const daemon = await lab.start(['daemon', '--host', host], { timeout: 120_000 });
    const docker = (...args: string[]) =>
      lab.command(['docker', '--host', host, ...args], { timeout: 30_000 });
    const answers = await lab.until(async () => (await docker('version')).code === 0, 20_000);
    const version = await docker('version');
    lab.promise('version', answers, {
      promised: `daemon --host ${host} serves the Engine API: docker version works`,
      seen: `${ending(version)}; ${quote(version.stderr)}; the daemon said ${quote(daemon.stderr)}`,
      look: 'HTTP on a unix socket: GET /_ping with Api-Version, GET /version',
    });
    await lab.until(async () => (await docker('images')).stdout.includes('busybox'));
    const [word, code, name] = [random.word(), random.integer(2, 100), random.word()];
    const ran = await docker(
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      `echo ${word}; echo err >&2; exit ${code}`,
    );
    lab.promise('run', ran.stdout === `${word}\n` && ran.stderr === 'err\n' && ran.code === code, {
      promised: `docker run --rm busybox prints ${word} to stdout and err to stderr, and exits with ${code}`,
      seen: `${ending(ran)}; stderr is ${quote(ran.stderr)}`,
      look: 'POST create, attach (101, frames of eight bytes), start, wait: attach first',
    });
    const script = `echo ${word}; trap 'exit ${code}' TERM; while :; do sleep 0.1; done`;
    const started = await docker('run', '-d', '--name', name, 'busybox', 'sh', '-c', script);
    const listed = await docker('ps');
    lab.promise('ps', /^[0-9a-f]{64}\n$/.test(started.stdout) && listed.stdout.includes(name), {
      promised: `docker run -d prints an id of 64 digits, and docker ps lists ${name}`,
      seen: `${ending(started)}; ps: ${ending(listed)}`,
      look: 'GET /containers/json: Id, Names, Image, Command, Created, Status, Ports',
    });
    let logs = await docker('logs', name);
    await lab.until(async () => {
      logs = await docker('logs', name);
      return logs.stdout !== '';
    });
    lab.promise('logs', logs.stdout === `${word}\n`, {
      promised: `docker logs ${name} prints ${word}`,
      seen: ending(logs),
      look: 'GET /containers/ID/logs: the same frames; GET /containers/ID/json says whether there is a terminal',
    });
    const terminal = await lab.arrangeAtTerminal([
      'docker',
      '--host',
      host,
      'run',
      '--rm',
      '-it',
      'busybox',
      'sh',
    ]);
    const prompt = await terminal.shows('# ');
    terminal.type(`echo $((20+22))-${word}; exit ${code}\r`);
    const shown = await terminal.shows(`42-${word}`);
    const ended = await terminal.ended;
    lab.promise('terminal', prompt && shown && ended.code === code, {
      promised: 'docker run --rm -it busybox sh is a shell at a terminal',
      seen: `the screen shows ${quote(terminal.screen)}, and it ended with ${ended.code}`,
      look: 'with a terminal there are no frames; POST /containers/ID/resize',
    });
    const stopped = await docker('stop', name);
    const inspected = await docker('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', name);
    lab.promise('stop', stopped.code === 0 && inspected.stdout === `exited ${code}\n`, {
      promised: `docker stop ends it, and docker inspect says: exited ${code}`,
      seen: `${ending(stopped)}; inspect: ${ending(inspected)}`,
      look: 'POST /containers/ID/stop; State in GET /containers/ID/json',
    });
    const removed = await docker('rm', name);
    const left = await docker('ps', '-a');
    lab.promise('rm', removed.code === 0 && !left.stdout.includes(name), {
      promised: 'docker rm removes it',
      seen: `${ending(removed)}; ps -a: ${ending(left)}`,
      look: 'DELETE /containers/ID',
    });
    const nothing = await docker('inspect', random.word());
    lab.promise('not-found', nothing.code === 1 && /no such/i.test(nothing.stderr), {
      promised: 'docker inspect of an unknown name fails with "no such object"',
      seen: `${ending(nothing)}; ${quote(nothing.stderr)}`,
      look: 'status 404, and {"message": …}',
    });
  },
};
