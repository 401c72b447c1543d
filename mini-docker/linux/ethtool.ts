// What a network card does for the kernel: a setting that netlink's link messages lack. netdevice(7), <linux/ethtool.h>
import { call } from './call.ts';
import { AF, IOCTL, SOCK } from './constants.ts';
import { addressOf } from './libc.ts';
import { close, ioctlBuffer, socket } from './syscalls.ts';

const ETHTOOL_STXCSUM = 0x17;
/** struct ifreq */
const [NAME_LENGTH, IFREQ_LENGTH] = [16, 40];

/**
 * Says whether checksums of sent packets are left to the card. Without that, the kernel also cuts packets to the link's
 * MTU by itself, as the card can only cut packets whose checksums it computes.
 * @param link name in this thread's network namespace @throws SyscallError ENODEV, EOPNOTSUPP
 */
export function setSendOffload(link: string, on: boolean): void {
  const value = Buffer.alloc(8);
  value.writeUInt32LE(ETHTOOL_STXCSUM, 0);
  value.writeUInt32LE(on ? 1 : 0, 4);
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(link.slice(0, NAME_LENGTH - 1));
  request.writeBigUInt64LE(BigInt(addressOf(value)), NAME_LENGTH);
  const fd = call(socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0));
  try {
    call(ioctlBuffer(fd, IOCTL.SIOCETHTOOL, request));
  } finally {
    call(close(fd));
  }
}
