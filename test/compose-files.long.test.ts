// Ten projects that use what the compose files of well-known projects use, each brought up by Debian's docker-compose
// 1.29 and by `mini-docker compose`: both make the same containers, networks and volumes.
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pictureOf } from './support/compose-picture.ts';
import { composeProject } from './support/compose-project.ts';

const FILES = join(import.meta.dirname, 'compose-files');
const project = composeProject();
const hasPeer = spawnSync('docker-compose', ['version']).status === 0;

/** In the place of what their authors have in the environment. */
const VARIABLES = {
  CHECK_INTERVAL: '2s',
  CHECK_RETRIES: '3',
  SITE_URL: 'http://site.test',
  PASSES_THROUGH: 'here',
  KEY: 'value with spaces',
  UPLOADS: './uploads',
};

test.skipIf(!hasPeer).for(readdirSync(FILES).filter(name => name.endsWith('.yaml')))(
  '%s',
  { timeout: 120_000 },
  async name => {
    cpSync(FILES, project.directory, { recursive: true });
    const env = Object.entries(VARIABLES).map(pair => pair.join('='));
    writeFileSync(join(project.directory, '.env'), `${env.join('\n')}\n`);
    const file = ['-f', join(project.directory, name)];
    const theirs = (...args: string[]) =>
      spawnSync(
        'docker-compose',
        ['-p', 'demo', '--project-directory', project.directory, ...file, ...args],
        {
          env: { ...process.env, DOCKER_HOST: project.daemon.host },
          encoding: 'utf8',
        },
      );
    /** Containers are named demo_web_1 by 1.29, and demo-web-1 since. */
    const seen = async () => {
      const names = (await project.listed()).map(({ Names }) => Names[0]!.slice(1)).sort();
      const picture = JSON.stringify(await pictureOf(project.engine, names));
      // One container names another by its id. Networks and volumes have their full name as a label only with 1.29.
      const text = (await project.listed())
        .reduce((all, { Id, Labels }) => all.replaceAll(Id, Labels['com.docker.compose.service']!), picture)
        .replace(/("com\.docker\.compose\.(?:network|volume)"):"[^"]*"/g, '$1:""')
        .replaceAll('demo_', 'demo-')
        .replace(/([a-z])_(\d)/g, '$1-$2');
      return { names: names.map(each => each.replaceAll('_', '-')), ...JSON.parse(text) };
    };
    const up = theirs('up', '-d');
    expect(up.status, up.stderr).toBe(0);
    const expected = await seen();
    expect(theirs('down', '-v', '-t', '0').status).toBe(0);
    await project.does([...file, 'up', '-d']);
    const made = await seen();
    await project.does([...file, 'down', '-v', '-t', '0']);
    expect(made).toEqual(expected);
  },
);
