const PT_INTERP = 3;

/**
 * Whether it is a 64-bit little-endian ELF program without a dynamic linker (elf(5): no PT_INTERP header).
 */
export function isStaticElf(program: Buffer): boolean {
  if (program.length < 64 || program.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return false;
  const at = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  const count = program.readUInt16LE(56);
  if (at + size * count > program.length || size < 4) return false;
  for (let i = 0; i < count; i++) if (program.readUInt32LE(at + i * size) === PT_INTERP) return false;
  return count > 0;
}
