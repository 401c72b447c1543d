import { expect, test } from 'vitest';
import { withActivated } from './activation.ts';

const two = () => ({ LISTEN_PID: String(process.pid), LISTEN_FDS: '2' });

test.each([
  ['fd://', ['fd://3', 'fd://4']],
  ['fd://*', ['fd://3', 'fd://4']],
  ['fd://4', ['fd://4']],
  ['unix:///run/x.sock', ['unix:///run/x.sock']],
])('%s of two sockets', (host, expected) => {
  expect(withActivated([host], two())).toEqual(expected);
});

test.each([
  ['fd://5', two(), 'systemd opened fd://3, fd://4'],
  ['fd://name', two(), 'it must be fd://'],
  ['fd:///run/x', two(), 'it must be fd://'],
  ['fd://3', {}, 'no sockets were found for fd://3'],
  ['fd://', { LISTEN_PID: '1', LISTEN_FDS: '1' }, 'no sockets were found'],
])('%s is refused', (host, env, message) => {
  expect(() => withActivated([host], env)).toThrow(message);
});
