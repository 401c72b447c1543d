import { expect, test } from 'vitest';
import { commandLine, withImageDefaults } from './image-defaults.ts';

const image = {
  Entrypoint: ['/entry'],
  Cmd: ['serve'],
  Env: ['PATH=/bin', 'A=image'],
  Labels: { from: 'image', both: 'image' },
  User: 'www',
  WorkingDir: '/srv',
  Volumes: { '/data': {} },
  ExposedPorts: { '80/tcp': {} },
  StopSignal: 'SIGINT',
};
const line = (user: object) => {
  const { path, args } = commandLine(withImageDefaults(user, image));
  return [path, ...args];
};

test('a command of the user goes behind the entrypoint of the image', () => {
  expect(line({})).toEqual(['/entry', 'serve']);
  expect(line({ Cmd: ['other', 'x'] })).toEqual(['/entry', 'other', 'x']);
});

test('an entrypoint of the user drops the command of the image', () => {
  expect(line({ Entrypoint: ['/mine'] })).toEqual(['/mine']);
  expect(line({ Entrypoint: ['/mine'], Cmd: ['x'] })).toEqual(['/mine', 'x']);
});

test("an empty entrypoint takes the image's away", () => {
  expect(line({ Entrypoint: [''], Cmd: ['x'] })).toEqual(['x']);
  expect(line({ Entrypoint: [], Cmd: ['x'] })).toEqual(['x']);
});

test('nothing to run is an error', () => {
  expect(() => line({ Entrypoint: [''] })).toThrow('no command specified');
  expect(() => commandLine(withImageDefaults({}, {}))).toThrow('no command specified');
});

test('variables, labels, ports and volumes are united, and the user wins', () => {
  const config = withImageDefaults(
    {
      Env: ['A=user', 'B'],
      Labels: { both: 'user' },
      ExposedPorts: { '81/udp': {} },
      Volumes: { '/more': {} },
    },
    image,
  );
  expect(config.Env).toEqual(['A=user', 'B', 'PATH=/bin']);
  expect(config.Labels).toEqual({ from: 'image', both: 'user' });
  expect(Object.keys(config.ExposedPorts!)).toEqual(['80/tcp', '81/udp']);
  expect(Object.keys(config.Volumes!)).toEqual(['/data', '/more']);
  expect(config).toMatchObject({ User: 'www', WorkingDir: '/srv', StopSignal: 'SIGINT' });
});

test('a healthcheck keeps what the user did not change', () => {
  const health = { Test: ['CMD', 'true'], Interval: 5, Retries: 3 };
  expect(
    withImageDefaults({ Cmd: ['x'], Healthcheck: { Interval: 9, Retries: 0 } }, { Healthcheck: health })
      .Healthcheck,
  ).toEqual({
    Test: ['CMD', 'true'],
    Interval: 9,
    Retries: 3,
  });
});
