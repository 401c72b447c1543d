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

const NUL = Buffer.alloc(1);

/** A path as an argument of a system call: the string, or bytes and a NUL where they are not UTF-8. */
export const pathArg = (path: string): string | Buffer =>
  escaped.test(path) ? Buffer.concat([encodeName(path), NUL]) : path;

/** A path as an argument of node:fs: the string, or bytes where they are not UTF-8. */
export const fsPath = (path: string): string | Buffer => (escaped.test(path) ? encodeName(path) : path);

/** A value for a URL, with each byte of it that is not a letter or digit as %XX. */
export function encodeUrlValue(value: string): string {
  if (!escaped.test(value)) return encodeURIComponent(value);
  return encodeName(value)
    .toString('latin1')
    .replace(/[^\w.~-]/g, byte => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** The opposite: decodes a value of a URL's query, in which '+' is a space, as a name. */
export function decodeUrlValue(value: string): string {
  const bytes = Buffer.from(value.replaceAll('+', ' '));
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const digits =
      bytes[at] === PERCENT ? /^[\da-f]{2}$/i.exec(bytes.toString('latin1', at + 1, at + 3))?.[0] : undefined;
    bytes[length++] = digits === undefined ? bytes[at]! : Number.parseInt(digits, 16);
    if (digits !== undefined) at += 2;
  }
  return decodeName(bytes.subarray(0, length));
}

const PERCENT = 0x25;
