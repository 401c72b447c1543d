// Tells systemd how the service is. sd_notify(3)
import { call } from './call.ts';
import { AF, SOCK } from './constants.ts';
import { mayFail } from './step.ts';
import { close, sendto, socket } from './syscalls.ts';

/** Takes the address out of the environment, so that no other process of the service speaks for it. */
export function takeNotifySocket(env: Record<string, string | undefined>): string | undefined {
  const { NOTIFY_SOCKET: address } = env;
  delete env.NOTIFY_SOCKET;
  return address;
}

/**
 * @param address a path, or '@' and an abstract name; undefined: systemd is not there
 * @param state lines such as 'READY=1' and 'STATUS=3 containers run'
 */
export function notify(address: string | undefined, ...state: string[]): void {
  if (address === undefined) return;
  const fd = call(socket(AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0));
  const name = Buffer.from(address.replace(/^@/, '\0'));
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF.UNIX);
  // Systemd may be gone, or be too busy to read: the service goes on in any case.
  call(mayFail(sendto(fd, Buffer.from(state.join('\n')), MSG_DONTWAIT, Buffer.concat([family, name])), '*'));
  call(close(fd));
}

const MSG_DONTWAIT = 0x40;
