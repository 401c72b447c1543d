// What the chapters say of mini-docker, tried: every command in the text runs, and what it is said to show it shows.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from '../support/daemon.ts';

interface Claim {
  chapter: string;
  /** 'run --explain busybox true' */
  command: string;
  /** Parts of a start that the paragraph names: _monitor_. */
  parts: string[];
}

const claims: Claim[] = globSync('chapters/*/README.md', { cwd: repository })
  .sort()
  .flatMap(file =>
    readFileSync(join(repository, file), 'utf8')
      .split(/\n\n+/)
      .flatMap(paragraph =>
        [...paragraph.matchAll(/`mini-docker ([^`]+ [^`]+)`/g)].map(match => ({
          chapter: file.split('/')[1]!,
          command: match[1]!.replace(/\s+/g, ' '),
          parts: [...paragraph.matchAll(/(?<![\w`])_([^_`]+)_/g)].map(part => part[1]!.replace(/\s+/g, ' ')),
        })),
      ),
  )
  .filter(({ command }) => !command.endsWith('-d'));

describe('what a chapter says of mini-docker', () => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await startDaemon();
  });
  afterAll(() => daemon?.stop());

  test('there are claims', () => {
    expect(claims.filter(({ parts }) => parts.length > 0).length).toBeGreaterThan(6);
  });

  test.each(claims)('chapter $chapter: mini-docker $command', ({ command, parts }) => {
    const { status, stdout, stderr } = spawnSync(NODE, [MAIN, ...command.split(' ')], {
      encoding: 'utf8',
      env: { ...process.env, DOCKER_HOST: daemon.host },
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    if (!command.includes('--explain')) return;
    // A heading of all steps, or a line of the summary.
    const headings = stdout
      .split('\n')
      .flatMap(line => /^ +\d+ {2}(.+?) {2,}|^(\S.*)/.exec(line)?.slice(1) ?? []);
    for (const part of parts) expect(headings, `_${part}_`).toContain(part);
  });
});
