// `mini-docker compose watch`: files that are followed while someone works on them.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LONG, PATIENCE, watchedProject } from './support/watched-project.ts';

const { project, watch, write, inWeb } = watchedProject();
const { file, compose, idOf } = project;

test(
  'changed files come into the running container, removed ones go, and a command follows them',
  async () => {
    for (const each of ['src/deep', 'src/node_modules', 'etc'])
      mkdirSync(join(project.directory, each), { recursive: true });
    write('src/before', 'before');
    write('src/node_modules/lib', 'lib');
    write('etc/app.conf', 'one');
    file(`services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    develop:
      watch:
        - {path: ./src, action: sync, target: /app, ignore: [node_modules/], initial_sync: true}
        - {path: ./etc/app.conf, action: sync+exec, target: /etc/app.conf, exec: {command: [sh, -c, "cat /etc/app.conf >>/told"]}}
`);
    await watch('watch');
    const id = await idOf('demo-web-1');
    await expect.poll(async () => (await inWeb('cat /app/before')).out, PATIENCE).toBe('before');
    write('src/deep/new', 'new');
    write('src/node_modules/lib', 'changed');
    await expect.poll(async () => (await inWeb('cat /app/deep/new')).out, PATIENCE).toBe('new');
    mkdirSync(join(project.directory, 'src/made/now'), { recursive: true });
    write('src/made/now/file', 'made');
    await expect.poll(async () => (await inWeb('cat /app/made/now/file')).out, PATIENCE).toBe('made');
    rmSync(join(project.directory, 'src/before'));
    await expect.poll(async () => (await inWeb('ls /app')).out, PATIENCE).toBe('deep\nmade\n');
    write('etc/app.conf', 'two');
    await expect.poll(async () => (await inWeb('cat /told')).out, PATIENCE).toBe('two');
    expect(await idOf('demo-web-1')).toBe(id);
  },
  LONG,
);

test(
  'what cannot be watched is said before anything starts',
  async () => {
    const web = (trigger: string) =>
      file(`services: {web: {image: busybox, command: sleep 1000, develop: {watch: [${trigger}]}}}\n`);
    for (const [trigger, message] of [
      ['{path: ./none, action: sync, target: /x}', 'services.web.develop.watch[0]: there is no'],
      ['{path: ., action: rebuild}', 'the service has no build'],
      ['{path: ., action: sync}', 'compose.yaml:1:73: services.web.develop.watch[0] needs a target'],
      ['{path: ., action: synk}', 'did you mean sync?'],
      ['{path: ., action: sync+exec, target: /x}', 'needs exec with a command'],
      ['', 'none of the selected services is configured for watch'],
    ] as const) {
      web(trigger);
      expect(await compose('watch')).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    }
  },
  LONG,
);
