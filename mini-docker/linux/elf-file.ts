// The requirements of an ELF file: a machine, a dynamic linker, libraries. elf(5), <elf.h>. Files of 64 bits
// in little-endian order, the kind that this kernel runs natively, are decoded completely; of other files
// only the machine. The file may be hostile: every offset and length in it is checked.

const MAGIC = 0x7f45_4c46;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3 } as const;
const DT = { NULL: 0, NEEDED: 1, STRTAB: 5, RPATH: 15, RUNPATH: 29 } as const;

export const MACHINES: Readonly<Record<number, string>> = {
  3: '32-bit x86',
  8: 'MIPS',
  20: '32-bit PowerPC',
  21: 'PowerPC',
  22: 's390x',
  40: '32-bit ARM',
  62: 'x86-64',
  183: 'arm64',
  243: 'RISC-V',
  258: 'LoongArch',
};
export const OWN_MACHINE = process.arch === 'x64' ? 62 : 183;

/** Limits: program headers, entries of the dynamic section, and bytes of a string that are read. */
const MOST_HEADERS = 64;
const MOST_ENTRIES = 1024;
const LONGEST_STRING = 4096;

export interface ElfFile {
  /** <elf.h> EM_*: a key of MACHINES, or unknown. */
  machine: number;
  /** The dynamic linker; undefined for a static program. */
  interpreter?: string;
  /** Names of libraries. */
  needed: string[];
  /** DT_RUNPATH or DT_RPATH: directories, in which $ORIGIN stands for the directory of the file. */
  runpath: string[];
}

/** Reads up to `length` bytes of the file at `offset`; fewer where the file ends. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** Decodes the headers; undefined when the file is not an ELF file. */
export function decodeElfFile(read: ReadAt): ElfFile | undefined {
  const header = read(0, 64);
  if (header.length < 20 || header.readUInt32BE(0) !== MAGIC) return undefined;
  const little = header[5] === ELFDATA2LSB;
  const machine = little ? header.readUInt16LE(18) : header.readUInt16BE(18);
  const file: ElfFile = { machine, needed: [], runpath: [] };
  if (header[4] !== ELFCLASS64 || !little || header.length < 64) return file;

  const [start, size, count] = [
    Number(header.readBigUInt64LE(32)),
    header.readUInt16LE(54),
    header.readUInt16LE(56),
  ];
  if (size < 56) return file;
  const segments = Array.from({ length: Math.min(count, MOST_HEADERS) }, (_, index) =>
    read(start + index * size, 56),
  )
    .filter(bytes => bytes.length === 56)
    .map(bytes => ({
      type: bytes.readUInt32LE(0),
      offset: Number(bytes.readBigUInt64LE(8)),
      address: Number(bytes.readBigUInt64LE(16)),
      length: Number(bytes.readBigUInt64LE(32)),
    }));
  const interpreter = segments.find(each => each.type === PT.INTERP);
  if (interpreter) file.interpreter = textAt(read, interpreter.offset);

  const dynamic = segments.find(each => each.type === PT.DYNAMIC);
  if (dynamic === undefined) return file;
  const entries = entriesOf(read(dynamic.offset, Math.min(dynamic.length, MOST_ENTRIES * 16)));
  const strings = entries.find(([tag]) => tag === DT.STRTAB)?.[1];
  // The dynamic section gives the table's address in memory, which lies in one of the loaded segments.
  const loaded = segments.find(
    ({ type, address, length }) =>
      type === PT.LOAD && strings !== undefined && strings >= address && strings < address + length,
  );
  if (strings === undefined || loaded === undefined) return file;
  const table = strings - loaded.address + loaded.offset;
  for (const [tag, value] of entries) {
    if (tag === DT.NEEDED) file.needed.push(textAt(read, table + value));
    if (tag === DT.RUNPATH || tag === DT.RPATH) file.runpath.push(...textAt(read, table + value).split(':'));
  }
  return file;
}

function entriesOf(bytes: Buffer): [tag: number, value: number][] {
  const entries: [number, number][] = [];
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const tag = Number(bytes.readBigInt64LE(at));
    if (tag === DT.NULL) break;
    entries.push([tag, Number(bytes.readBigUInt64LE(at + 8))]);
  }
  return entries;
}

function textAt(read: ReadAt, offset: number): string {
  const bytes = read(offset, LONGEST_STRING);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
