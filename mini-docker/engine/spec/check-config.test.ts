import { expect, test } from 'vitest';
import type { ContainerConfig, HostConfig } from '../../formats/engine-api/containers.ts';
import { testFacts } from '../testing/facts.ts';
import { checkConfig } from './check-config.ts';
import { decodeLogOptions } from './log-options.ts';

const check = (config: ContainerConfig, host: HostConfig = {}) => checkConfig(config, host, testFacts);

test('a request without anything special is fine', () => {
  check(
    { Env: ['A=1', 'B'], WorkingDir: '/srv', StopSignal: 'SIGUSR1' },
    { RestartPolicy: { Name: 'always' } },
  );
});

test('what is wrong is named before anything is made', () => {
  const refused: [ContainerConfig, HostConfig, string][] = [
    [{ Env: ['=x'] }, {}, 'invalid environment variable: =x'],
    [{ WorkingDir: 'srv' }, {}, "working directory 'srv' is invalid"],
    [{ WorkingDir: `/${'n'.repeat(256)}` }, {}, '…: file name too long'],
    [
      {},
      {
        Devices: [{ PathOnHost: '/dev/null', PathInContainer: `/${'n'.repeat(256)}`, CgroupPermissions: '' }],
      },
      'name too long',
    ],
    [{ Hostname: 'a\n6.6.6.6 b' }, {}, 'invalid hostname'],
    [{ Domainname: 'a\tb' }, {}, 'invalid domainname'],
    [{}, { DnsOptions: ['a\nnameserver 6.6.6.6'] }, 'invalid dns'],
    [{ Hostname: 'x'.repeat(65) }, {}, 'invalid hostname'],
    [{ StopSignal: 'NOPE' }, {}, 'invalid signal: NOPE'],
    [{}, { AutoRemove: true, RestartPolicy: { Name: 'always' } }, "can't create 'AutoRemove' container"],
    [{}, { RestartPolicy: { Name: 'sometimes' as 'no' } }, "unknown policy 'sometimes'"],
    [{}, { RestartPolicy: { Name: 'always', MaximumRetryCount: 2 } }, 'maximum retry count'],
    [{}, { PidMode: 'nope' }, 'invalid PID mode: nope'],
    [{}, { IpcMode: 'container:' }, 'invalid IPC mode'],
    [{}, { Runtime: 'kata' }, 'runtime name: kata'],
    [{}, { CapAdd: ['NOPE'] }, 'unknown capability'],
    [{}, { OomScoreAdj: 2000 }, 'oom score adj'],
    [{}, { LogConfig: { Type: 'syslog' } }, 'syslog is not supported: use json-file, local or none'],
  ];
  for (const [config, host, message] of refused) expect(() => check(config, host), message).toThrow(message);
});

test('log options are read, and wrong ones refused', () => {
  const options = (Config: Record<string, string>, Type = 'json-file') =>
    decodeLogOptions({ LogConfig: { Type, Config } });
  // Limits that Docker has for `local` alone.
  const limited = { keeps: true, maxSize: 20 * 1024 ** 2, maxFiles: 5 };
  expect(options({})).toEqual(limited);
  expect(options({}, 'local')).toEqual(limited);
  expect(options({ 'max-size': '10k' })).toMatchObject({ maxFiles: 1 });
  expect(options({ 'max-size': '10k' }, 'local')).toMatchObject({ maxFiles: 5 });
  expect(options({ 'max-size': '10k', 'max-file': '3' })).toEqual({
    keeps: true,
    maxSize: 10_240,
    maxFiles: 3,
  });
  expect(options({ 'max-size': '1.5MB' })).toMatchObject({ maxSize: 1_572_864 });
  expect(options({ 'max-size': '-1' })).toEqual({ keeps: true, maxFiles: 1 });
  expect(options({}, 'none')).toMatchObject({ keeps: false });
  expect(() => options({ 'max-size': 'big' })).toThrow("invalid size for max-size: 'big'");
  expect(options({ 'max-file': '3' })).toEqual({ ...limited, maxFiles: 3 });
  expect(() => options({ 'max-size': '1k', 'max-file': '0' })).toThrow('max-file cannot be less than 1');
  expect(() => options({ nope: '1' })).toThrow("unknown log opt 'nope'");
  expect(options({ mode: 'non-blocking', 'max-buffer-size': '4m' })).toMatchObject({ keeps: true });
  expect(options({ compress: 'true' })).toEqual(options({ compress: '0' }));
  expect(() => options({ compress: 'x' })).toThrow("invalid value for compress: 'x'");
  expect(() => options({ mode: 'foo' })).toThrow('logger: logging mode not supported: foo');
  expect(() => options({ 'max-buffer-size': '4m' })).toThrow("only supported with 'mode=non-blocking'");
  expect(() => options({ mode: 'non-blocking', 'max-buffer-size': 'x' })).toThrow(
    "invalid size for max-buffer-size: 'x'",
  );
  expect(() => options({ labels: 'a' }, 'local')).toThrow("unknown log opt 'labels' for local log driver");
});
