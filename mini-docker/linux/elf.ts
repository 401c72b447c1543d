// A program as a static ELF executable, for processes that must outlive this one: one loadable segment of
// code, and a second one of data unless the program shares its data. elf(5), System V ABI chapters 4 and 5.
import type { Architecture } from './step.ts';

const HEADER_SIZE = 64;
const SEGMENT_HEADER_SIZE = 56;
const PAGE = 4096;
/**
 * Alignment of segments in bytes: arm64 kernels with pages of 64 KiB map a segment only at a multiple of
 * that.
 */
const ALIGNMENT = 65_536;
const MACHINE: Record<Architecture, number> = { x64: 62, arm64: 183 };
const PT = { LOAD: 1, GNU_STACK: 0x6474_e551 };
const PF = { X: 1, W: 2, R: 4 };

/** Addresses at which the code of an ELF image is loaded, and its data. */
export const ELF_CODE_ADDRESS = 0x40_0000;
export const ELF_DATA_ADDRESS = 0x1000_0000;

/**
 * @param options.code begins with the entry point
 * @param options.data private writable memory at ELF_DATA_ADDRESS
 */
export function encodeElf(options: { architecture: Architecture; code: Buffer; data?: Buffer }): Buffer {
  const { architecture, code, data } = options;
  const segments = data === undefined ? 2 : 3;
  const codeOffset = HEADER_SIZE + segments * SEGMENT_HEADER_SIZE;
  const codeEnd = codeOffset + code.length;
  // A segment's place in the file and in memory must agree within a page.
  const dataOffset = Math.ceil(codeEnd / ALIGNMENT) * ALIGNMENT;
  const image = Buffer.alloc(data === undefined ? codeEnd : dataOffset + data.length);

  image.write('\x7fELF\x02\x01\x01', 'latin1'); // 64 bits, little-endian, version 1
  image.writeUInt16LE(2, 16); // ET_EXEC
  image.writeUInt16LE(MACHINE[architecture], 18);
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(BigInt(ELF_CODE_ADDRESS + codeOffset), 24); // entry
  image.writeBigUInt64LE(BigInt(HEADER_SIZE), 32); // program headers
  image.writeUInt16LE(HEADER_SIZE, 52);
  image.writeUInt16LE(SEGMENT_HEADER_SIZE, 54);
  image.writeUInt16LE(segments, 56);

  const segment = (
    index: number,
    type: number,
    flags: number,
    offset: number,
    address: number,
    size: number,
  ) => {
    const at = HEADER_SIZE + index * SEGMENT_HEADER_SIZE;
    image.writeUInt32LE(type, at);
    image.writeUInt32LE(flags, at + 4);
    image.writeBigUInt64LE(BigInt(offset), at + 8);
    image.writeBigUInt64LE(BigInt(address), at + 16);
    image.writeBigUInt64LE(BigInt(address), at + 24);
    image.writeBigUInt64LE(BigInt(size), at + 32);
    image.writeBigUInt64LE(BigInt(size), at + 40);
    image.writeBigUInt64LE(BigInt(type === PT.LOAD ? ALIGNMENT : PAGE), at + 48);
  };
  segment(0, PT.LOAD, PF.R | PF.X, 0, ELF_CODE_ADDRESS, codeEnd);
  segment(1, PT.GNU_STACK, PF.R | PF.W, 0, 0, 0); // a stack that is not executable
  code.copy(image, codeOffset);
  if (data !== undefined) {
    segment(2, PT.LOAD, PF.R | PF.W, dataOffset, ELF_DATA_ADDRESS, data.length);
    data.copy(image, dataOffset);
  }
  return image;
}
