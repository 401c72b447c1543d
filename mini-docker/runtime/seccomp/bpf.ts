// Encodes a decision graph as classic BPF, whose jumps go forward only, and at most 255 instructions when
// they compare. Therefore the program is written from its end to its beginning, and a verdict that is too far
// away is written again.
// https://docs.kernel.org/networking/filter.html
import { DATA, type Node, type Question } from './decision.ts';

/** <linux/bpf_common.h> */
export const BPF = {
  LD_W_ABS: 0x20,
  ALU_AND_K: 0x54,
  JMP_JA: 0x05,
  JMP_JEQ_K: 0x15,
  JMP_JGT_K: 0x25,
  JMP_JGE_K: 0x35,
  JMP_JSET_K: 0x45,
  RET_K: 0x06,
} as const;

/** struct sock_filter */
export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

const INSTRUCTION_SIZE = 8;
/** BPF_MAXINSNS */
const LONGEST = 4096;
const FARTHEST = 255;
const JUMPS = { equal: BPF.JMP_JEQ_K, above: BPF.JMP_JGT_K, atLeast: BPF.JMP_JGE_K } as const;

/** @throws RangeError when the program is longer than the kernel accepts */
export function linearize(root: Node): Instruction[] {
  // The last instruction first. A place is an index into it.
  const backwards: Instruction[] = [];
  const places = new Map<string, number>();

  const add = (code: number, k: number, jt = 0, jf = 0): number =>
    backwards.push({ code, k: k >>> 0, jt, jf }) - 1;
  const distance = (place: number): number => backwards.length - 1 - place;
  const addVerdict = (node: { id: number; verdict: number }): number => {
    const place = add(BPF.RET_K, node.verdict);
    places.set(`${node.id}`, place);
    return place;
  };
  /** A place for the node within reach of the comparison that is written next. */
  const near = (node: Node, place: number): number => {
    if (distance(place) <= FARTHEST) return place;
    return 'verdict' in node ? addVerdict(node) : add(BPF.JMP_JA, distance(place));
  };
  const addQuestion = (node: Question, isLoaded: boolean): number => {
    // Applying a mask overwrites the loaded word.
    const loaded = node.mask === undefined ? node.at : undefined;
    let no = place(node.no, loaded);
    let yes = place(node.yes, loaded);
    while (distance(no) > FARTHEST || distance(yes) > FARTHEST) {
      no = near(node.no, no);
      yes = near(node.yes, yes);
    }
    let entry = add(JUMPS[node.is], node.value, distance(yes), distance(no));
    if (node.mask !== undefined) entry = add(BPF.ALU_AND_K, node.mask);
    return isLoaded ? entry : add(BPF.LD_W_ABS, node.at);
  };
  /** @param loaded the offset whose word is in the accumulator when this point is reached */
  const place = (node: Node, loaded: number | undefined): number => {
    const isLoaded = 'at' in node && node.at === loaded;
    const key = `${node.id}${isLoaded ? ' loaded' : ''}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    if ('verdict' in node) return addVerdict(node);
    const made = addQuestion(node, isLoaded);
    places.set(key, made);
    return made;
  };

  place(root, undefined);
  if (backwards.length > LONGEST) {
    throw new RangeError(
      `the seccomp profile needs a filter of ${backwards.length} instructions, and the kernel takes ${LONGEST}`,
    );
  }
  return backwards.reverse();
}

/** An array of struct sock_filter. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(instructions.length * INSTRUCTION_SIZE);
  instructions.forEach(({ code, jt, jf, k }, index) => {
    const at = index * INSTRUCTION_SIZE;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(jt, at + 2);
    bytes.writeUInt8(jf, at + 3);
    bytes.writeUInt32LE(k, at + 4);
  });
  return bytes;
}

export function decodeInstructions(bytes: Uint8Array): Instruction[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / INSTRUCTION_SIZE }, (_, index) => {
    const at = index * INSTRUCTION_SIZE;
    return {
      code: view.readUInt16LE(at),
      jt: view.readUInt8(at + 2),
      jf: view.readUInt8(at + 3),
      k: view.readUInt32LE(at + 4),
    };
  });
}

export interface CallData {
  /** AUDIT_ARCH_* */
  arch: number;
  nr: number;
  args?: readonly bigint[];
}

/** Runs the filter on a call: its verdict, and the number of instructions executed. */
export function interpret(
  program: readonly Instruction[],
  call: CallData,
): { verdict: number; steps: number } {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr >>> 0, DATA.nr);
  data.writeUInt32LE(call.arch >>> 0, DATA.arch);
  call.args?.forEach((value, index) => {
    data.writeBigUInt64LE(BigInt.asUintN(64, value), DATA.low(index));
  });
  let accumulator = 0;
  let at = 0;
  for (let steps = 1; ; steps++) {
    const { code, jt, jf, k } = program[at++]!;
    const jump = (taken: boolean): void => {
      at += taken ? jt : jf;
    };
    if (code === BPF.RET_K) return { verdict: k, steps };
    if (code === BPF.LD_W_ABS) accumulator = data.readUInt32LE(k);
    else if (code === BPF.ALU_AND_K) accumulator = (accumulator & k) >>> 0;
    else if (code === BPF.JMP_JA) at += k;
    else if (code === BPF.JMP_JEQ_K) jump(accumulator === k);
    else if (code === BPF.JMP_JGT_K) jump(accumulator > k);
    else if (code === BPF.JMP_JGE_K) jump(accumulator >= k);
    else if (code === BPF.JMP_JSET_K) jump((accumulator & k) !== 0);
    else throw new TypeError(`no filter of ours has instruction 0x${code.toString(16)}`);
  }
}
