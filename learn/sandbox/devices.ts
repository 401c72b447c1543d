// Keeps sandboxes from reading or writing the machine's disks as devices, and its kernel's log.
import { setDeviceFilter } from '../../mini-docker/runtime/cgroups/device-filter.ts';
import {
  BPF,
  BPF_DEVCG,
  deviceProgram,
  encodeProgram,
  type Instruction,
} from '../../mini-docker/runtime/cgroups/device-program.ts';

/** <linux/major.h>: LOOP_MAJOR */
const LOOP = 7;

/**
 * @param directory of cgroup v2
 * @param disks minor numbers of loop devices that may be used all the same
 * @throws SyscallError when the kernel refuses
 */
export function keepDevices(directory: string, disks: readonly number[]): true {
  const rules = deviceProgram({
    default: 'allow',
    exceptions: [
      { type: 'b', access: 'rw' },
      { type: 'c', major: 1, minor: 11, access: 'rw' },
    ],
  });
  setDeviceFilter(directory, Buffer.concat([...disks.map(allowLoop), rules]));
  return true;
}

/** The same for cgroup v1, whose rules cannot spare a single device. */
export const V1_DENIED = ['b *:* rw', 'c 1:11 rw'];

const [RESULT, CONTEXT, WORD] = [0, 1, 2];

/** Returns 1 for this device, and otherwise falls through. The context: struct bpf_cgroup_dev_ctx, <linux/bpf.h> */
function allowLoop(minor: number): Uint8Array {
  const code: Instruction[] = [
    { code: BPF.LDX_MEM_W, to: WORD, from: CONTEXT, offset: 0 },
    { code: BPF.AND32_K, to: WORD, value: 0xffff },
    { code: BPF.JNE_K, to: WORD, value: BPF_DEVCG.DEV_BLOCK },
    { code: BPF.LDX_MEM_W, to: WORD, from: CONTEXT, offset: 4 },
    { code: BPF.JNE_K, to: WORD, value: LOOP },
    { code: BPF.LDX_MEM_W, to: WORD, from: CONTEXT, offset: 8 },
    { code: BPF.JNE_K, to: WORD, value: minor },
    { code: BPF.MOV32_K, to: RESULT, value: 1 },
    { code: BPF.EXIT, to: 0 },
  ];
  return encodeProgram(
    code.map((each, index) =>
      each.code === BPF.JNE_K ? { ...each, offset: code.length - index - 1 } : each,
    ),
  );
}
