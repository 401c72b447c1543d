// Files of state, changed behind the daemon's back: whatever is in them, the next daemon starts and answers.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkAnswer, daemonCases, type FuzzedDaemon, type Fuzzer } from './fuzzer.ts';
import { damaged, mutated, type Random } from './random.ts';

const READS = ['/info', '/images/json', '/containers/json?all=1', '/volumes', '/networks', '/system/df'];

export const fuzzState: Fuzzer = options =>
  daemonCases(options, {
    async one(fuzzed) {
      const { daemon, random, send, finding } = fuzzed;
      await populate(fuzzed);
      const files = [daemon.dataRoot, daemon.runDir].flatMap(stateFiles);
      await daemon.end('SIGKILL');
      const picked = Array.from({ length: 1 + random.integer(3) }, () => random.pick(files));
      const changed = [...new Set(picked)];
      for (const file of changed) spoil(file, random);
      const doing = changed.map(each => relative(join(daemon.dataRoot, '..'), each)).join(', ');
      try {
        await daemon.begin();
      } catch (error) {
        finding(`no start with another ${doing}: ${(error as Error).message}`);
        // So that the other cases have one.
        for (const file of changed) rmSync(file, { recursive: true, force: true });
        await daemon.begin();
      }
      for (const path of READS) {
        const answer = await send('GET', path);
        if (answer === undefined) finding(`no answer to ${path} with another ${doing}`);
        else checkAnswer(answer, `GET ${path} with another ${doing}`, finding);
      }
      await clear(fuzzed, doing);
    },
  });

async function populate({ client, send }: FuzzedDaemon): Promise<void> {
  await client.run(['sleep', '100'], { name: 'runs' }).catch(() => {});
  await client.create(['true'], { name: 'rests', HostConfig: { Binds: ['kept:/data'] } }).catch(() => {});
  await send('POST', '/networks/create', { Name: 'kept' });
}

async function clear({ send, finding }: FuzzedDaemon, doing: string): Promise<void> {
  const all = await send('GET', '/containers/json?all=1');
  for (const { Id } of JSON.parse(all?.body.toString() ?? '[]') as { Id: string }[]) {
    const answer = await send('DELETE', `/containers/${Id}?force=1&v=1`);
    if (answer?.status !== 204)
      finding(`a container cannot be removed with another ${doing}: ${answer?.body}`);
  }
  await send('DELETE', '/networks/kept');
  await send('DELETE', '/volumes/kept');
}

/** All but what is in layers and volumes, and the socket. */
function stateFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(each => each.isFile())
    .map(each => join(each.parentPath, each.name))
    .filter(
      path =>
        !/\/(blobs|layers|upper|work|_data|init-layer)\/|\.broken/.test(path) &&
        statSync(path).size < 1 << 20,
    );
}

function spoil(path: string, random: Random): void {
  const bytes = statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : Buffer.alloc(0);
  const changes: (() => void)[] = [
    () => writeFileSync(path, damaged(bytes, random)),
    () => writeFileSync(path, JSON.stringify(mutated(parsed(bytes), random)) ?? ''),
    () => writeFileSync(path, JSON.stringify(mutated(parsed(bytes), random)) ?? ''),
    () => rmSync(path),
    () => {
      rmSync(path);
      mkdirSync(path);
    },
    () => {
      rmSync(path);
      symlinkSync(path, path);
    },
  ];
  rmSync(`${path}.spoiled`, { force: true, recursive: true });
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) random.pick(changes)();
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return bytes.toString('latin1');
  }
}
