// Disks that may be read and written without harm: loop devices over a file in memory. loop(4)
import { closeSync, existsSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { AT, call, ioctl, ioctlBuffer, mayFail, O, openat } from '#linux';
import { sharedMemory } from '../../mini-docker/linux/memfd.ts';

const NAME = 'mini-docker-disk';
const SIZE = 1 << 20;
/** <linux/loop.h>: LOOP_CTL_GET_FREE, LOOP_CONFIGURE and LO_FLAGS_AUTOCLEAR */
const GET_FREE = 0x4c82;
const CONFIGURE = 0x4c0a;
const AUTOCLEAR = 4;
/** struct loop_config: its size, and the place of info.lo_flags */
const [CONFIG_SIZE, FLAGS_AT] = [304, 60];

/** Minor numbers of the loop devices that are such disks. */
export function disks(): number[] {
  const devices = existsSync('/sys/block') ? readdirSync('/sys/block') : [];
  return devices.flatMap(name => {
    const file = `/sys/block/${name}/loop/backing_file`;
    const isDisk = existsSync(file) && readFileSync(file, 'utf8').startsWith(`/memfd:${NAME} `);
    return isDisk ? [Number(name.slice('loop'.length))] : [];
  });
}

/**
 * The disk exists until the returned descriptor is closed.
 * @throws SyscallError where the kernel has no loop devices
 */
export function attachDisk(text: string): { device: number; minor: number } {
  using opened = new DisposableStack();
  const control = opened.adopt(call(openat(AT.FDCWD, '/dev/loop-control', O.RDWR | O.CLOEXEC, 0)), closeSync);
  const file = opened.adopt(sharedMemory(NAME, SIZE), closeSync);
  writeSync(file, text);
  const config = Buffer.alloc(CONFIG_SIZE);
  config.writeUInt32LE(file, 0);
  config.writeUInt32LE(AUTOCLEAR, FLAGS_AT);
  for (;;) {
    const minor = call(ioctl(control, GET_FREE as never, 0));
    const device = call(openat(AT.FDCWD, `/dev/loop${minor}`, O.RDWR | O.CLOEXEC, 0));
    try {
      // Another program may have taken it meanwhile.
      if (call(mayFail(ioctlBuffer(device, CONFIGURE as never, config), 'EBUSY')) >= 0)
        return { device, minor };
    } catch (error) {
      closeSync(device);
      throw error;
    }
    closeSync(device);
  }
}
