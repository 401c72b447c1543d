import { errnoMessage, errnoName } from '../errno.ts';

/** A netlink request that the kernel refused: the counterpart of SyscallError. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** Number, for example 17. */
  readonly errno: number;
  /** Name, for example 'EEXIST'. */
  readonly code: string;
  /** The kernel's own message, where it sends one (extended acknowledgement). */
  readonly kernelMessage: string | undefined;

  constructor(options: { doing: string; errno: number; kernelMessage?: string | undefined }) {
    const { doing, errno, kernelMessage } = options;
    const code = errnoName(errno);
    const kind = /^create link .* \((\w+)\)$/.exec(doing)?.[1];
    // For kinds of links that are in modules of their own.
    const isUnknown = kind !== undefined && kernelMessage?.startsWith('Unknown device type');
    const remedy = `: load the kernel's module for it (modprobe ${kind === 'vlan' ? '8021q' : kind})`;
    const says = kernelMessage ? `: the kernel says "${kernelMessage.replace(/\.$/, '')}"` : '';
    super(`${doing}: ${code} (${errnoMessage(errno)}${says})${isUnknown ? remedy : ''}`);
    this.errno = errno;
    this.code = code;
    this.kernelMessage = kernelMessage;
  }
}
