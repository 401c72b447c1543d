import { expect, test } from 'vitest';
import { containerCreateBody, withZeroValues } from './engine-api/containers.ts';
import { array, map, nullable, object, or, pair, parse, string, strings, zeroOf } from './schema.ts';

const read = (body: unknown) => containerCreateBody(body, '');

test.each([
  [{ Image: 5 }, 'Image must be a string, not 5'],
  [{ Env: 'A=1' }, 'Env must be a list, not "A=1"'],
  [{ Env: [1] }, 'Env[0] must be a string, not 1'],
  [{ Labels: { a: 1 } }, 'Labels.a must be a string, not 1'],
  [{ ExposedPorts: { '80/tcp': 5 } }, 'ExposedPorts.80/tcp must be an object, not 5'],
  [{ HostConfig: { Memory: 1.5 } }, 'HostConfig.Memory must be an integer, not 1.5'],
  [{ HostConfig: { Memory: 1e30 } }, 'HostConfig.Memory must be an integer, not 1e+30'],
  [
    { HostConfig: { BlkioWeight: 70000 } },
    'HostConfig.BlkioWeight must be an integer from 0 to 65535, not 70000',
  ],
  [{ HostConfig: { Devices: [{}] } }, 'HostConfig.Devices[0].PathOnHost is missing: it must be a string'],
  [{ HostConfig: { Devices: [null] } }, 'HostConfig.Devices[0].PathOnHost is missing: it must be a string'],
  [{ HostConfig: { Devices: {} } }, 'HostConfig.Devices must be a list, not {}'],
  [
    { HostConfig: { Ulimits: [{ Name: 'core', Soft: '1' }] } },
    'HostConfig.Ulimits[0].Soft must be an integer, not "1"',
  ],
  [
    { HostConfig: { Mounts: [{ Type: 'bind', BindOptions: 1 }] } },
    'HostConfig.Mounts[0].BindOptions must be an object, not 1',
  ],
  [
    { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: 80 }] } } },
    'HostConfig.PortBindings.80/tcp[0].HostPort must be a string, not 80',
  ],
  [
    { NetworkingConfig: { EndpointsConfig: { n: { IPAMConfig: { IPv4Address: 1 } } } } },
    'NetworkingConfig.EndpointsConfig.n.IPAMConfig.IPv4Address must be a string, not 1',
  ],
])('%j is refused, and the place is named', (body, message) => {
  expect(() => read(body)).toThrow(message);
});

test('names match without regard to case, and unknown ones are ignored', () => {
  expect(read({ image: 'a', hostconfig: { MEMORY: 5, nope: 1 }, Nope: 1 })).toEqual({
    Image: 'a',
    HostConfig: { Memory: 5 },
  });
});

test('null is nothing, and within lists and maps what Go has where nothing is set', () => {
  expect(read({ Image: null, Env: null, Cmd: ['a', null], Labels: { a: null }, HostConfig: null })).toEqual({
    Cmd: ['a', ''],
    Labels: { a: '' },
  });
  expect(
    read({ HostConfig: { PortBindings: { '80/tcp': null, '81/tcp': [null] }, Ulimits: [{ Name: 'core' }] } }),
  ).toEqual({
    HostConfig: {
      PortBindings: { '80/tcp': null, '81/tcp': [{ HostIp: '', HostPort: '' }] },
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
    },
  });
});

test('labels may have the names of what every object has', () => {
  const labels = JSON.parse('{"constructor":"a","__proto__":"b","toString":"c"}');
  const decoded = map(string)(labels, '');
  expect(Object.entries(decoded)).toEqual([
    ['constructor', 'a'],
    ['__proto__', 'b'],
    ['toString', 'c'],
  ]);
  expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
});

test('a command may be one string, and a size has two numbers whatever was sent', () => {
  expect(read({ Cmd: 'ls' })).toEqual({ Cmd: ['ls'] });
  expect([pair([], ''), pair([1], ''), pair([1, 2, 3], '')]).toEqual([
    [0, 0],
    [1, 0],
    [1, 2],
  ]);
});

test('what is required must be there, or has a value of its own', () => {
  const schema = object({ note: string }, { name: string, tags: or(strings, []) });
  expect(schema({ name: 'a', tags: null }, '')).toEqual({ name: 'a', tags: [] });
  expect(() => parse('{"tags":[]}', 'thing', schema)).toThrow('thing.name is missing: it must be a string');
  expect(() => parse('{', 'thing', schema)).toThrow('thing is not JSON');
  expect(zeroOf(schema)).toEqual({ note: '', name: '', tags: [] });
  expect(array(nullable(schema))([null], '')).toEqual([null]);
});

test('an answer has a value for every field that Go writes, and none for those that it leaves out', () => {
  const { Config, HostConfig } = withZeroValues({ Config: { Tty: true }, HostConfig: { Memory: 5 } });
  expect(Config).toMatchObject({ Hostname: '', Env: null, Labels: {}, Tty: true });
  expect(HostConfig).toMatchObject({ Memory: 5, Privileged: false, PidsLimit: null, ConsoleSize: [0, 0] });
  expect(Object.keys({ ...Config, ...HostConfig })).not.toEqual(
    expect.arrayContaining(['ExposedPorts', 'Healthcheck', 'Annotations', 'Init']),
  );
});
