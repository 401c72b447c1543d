// File names are bytes to the kernel, and not always UTF-8. Bytes that are not UTF-8 become lone surrogates
// U+DC80 to U+DCFF (which no UTF-8 decodes to), so every name is a string that encodes to the same bytes
// again. The idea is from PEP 383.

const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const escaped = /[\uDC80-\uDCFF]/;

export function decodeName(bytes: Uint8Array): string {
  // Latin-1 is many times faster to decode than UTF-8, and the same for ASCII, which nearly all names are.
  let ascii = true;
  for (let i = 0; i < bytes.length && ascii; i++) ascii = bytes[i]! < 0x80;
  if (ascii) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  try {
    return fatal.decode(bytes);
  } catch {
    return decodeBrokenName(bytes);
  }
}

function decodeBrokenName(bytes: Uint8Array): string {
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at]!);
    try {
      name += fatal.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      name += String.fromCharCode(0xdc00 + bytes[at]!);
      at++;
    }
  }
  return name;
}

const sequenceLength = (first: number): number =>
  first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

export function encodeName(name: string): Buffer {
  if (!escaped.test(name)) return Buffer.from(name);
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.charCodeAt(0);
    const isByte = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    parts.push(isByte ? Buffer.from([code - 0xdc00]) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}

/** Whether the name's bytes are not valid UTF-8. */
export const isByteName = (name: string): boolean => escaped.test(name);
