import { expect, test } from 'vitest';
import { decodeExpose, decodePublish, describePorts } from './ports.ts';

const short = (text: string) =>
  decodePublish(text).map(({ port, binding }) => `${binding.HostIp}|${binding.HostPort}|${port}`);

test.each([
  ['80', ['||80/tcp']],
  ['8080:80', ['|8080|80/tcp']],
  ['8080:80/udp', ['|8080|80/udp']],
  ['127.0.0.1:8080:80', ['127.0.0.1|8080|80/tcp']],
  ['127.0.0.1::80', ['127.0.0.1||80/tcp']],
  ['[::1]:8080:80', ['::1|8080|80/tcp']],
  ['8000-8001:80-81', ['|8000|80/tcp', '|8001|81/tcp']],
  ['8000-8009:80', ['|8000-8009|80/tcp']],
  ['80-81', ['||80/tcp', '||81/tcp']],
  ['published=8080,target=80,protocol=udp', ['|8080|80/udp']],
])('-p %s', (text, expected) => {
  expect(short(text)).toEqual(expected);
});

test.each([
  ['', 'no port specified: <empty>'],
  ['99999:80', 'invalid hostPort: 99999'],
  ['8080:x', 'invalid containerPort: x'],
  ['1.2.3:80:80', 'invalid IP address: 1.2.3'],
  ['80/foo', 'invalid proto: foo'],
  ['8000-8002:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 8000-8002'],
  ['81-80', 'invalid containerPort: 81-80'],
  ['1:2:3:4', 'invalid IP address or port: 1:2:3:4'],
  ['published=1', 'missing mandatory field "target": published=1'],
])('-p %j is refused', (text, message) => {
  expect(() => decodePublish(text)).toThrow(message);
});

test('--expose takes ranges', () => {
  expect(decodeExpose('80-82')).toEqual(['80/tcp', '81/tcp', '82/tcp']);
  expect(decodeExpose('53/udp')).toEqual(['53/udp']);
  expect(() => decodeExpose('1:2')).toThrow('invalid port format for --expose: 1:2');
});

test('a listing joins neighbours', () => {
  const tcp = (PrivatePort: number, PublicPort?: number, IP?: string) => ({
    PrivatePort,
    Type: 'tcp',
    ...(PublicPort === undefined ? {} : { PublicPort }),
    ...(IP === undefined ? {} : { IP }),
  });
  expect(describePorts([tcp(81, 8081, '0.0.0.0'), tcp(80, 8080, '0.0.0.0'), tcp(80, 8080, '::')])).toBe(
    '0.0.0.0:8080-8081->80-81/tcp, [::]:8080->80/tcp',
  );
  expect(describePorts([tcp(443), tcp(80), tcp(444)])).toBe('80/tcp, 443-444/tcp');
  expect(describePorts([])).toBe('');
});
