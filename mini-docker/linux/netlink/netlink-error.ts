import { errnoMessage, errnoName } from '../errno.ts';

/** A request that the kernel refused: as SyscallError, for netlink. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** 17 */
  readonly errno: number;
  /** 'EEXIST' */
  readonly code: string;
  /** The kernel's own words, where it says some (extended acknowledgement). */
  readonly kernelMessage: string | undefined;

  constructor(options: { doing: string; errno: number; kernelMessage?: string | undefined }) {
    const { doing, errno, kernelMessage } = options;
    const code = errnoName(errno);
    const says = kernelMessage ? `: the kernel says "${kernelMessage.replace(/\.$/, '')}"` : '';
    super(`${doing}: ${code} (${errnoMessage(errno)}${says})`);
    this.errno = errno;
    this.code = code;
    this.kernelMessage = kernelMessage;
  }
}
