// An initramfs is a cpio archive in the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst).

export interface CpioEntry {
  /** Without a leading slash; directories come before what is in them. */
  path: string;
  /** Type and permissions: 0o100755, 0o40755, 0o20600. */
  mode: number;
  content?: Uint8Array;
  /** Of a device. */
  rdev?: [major: number, minor: number];
}

export function encodeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  const all: CpioEntry[] = [...entries, { path: 'TRAILER!!!', mode: 0 }];
  all.forEach(({ path, mode, content = new Uint8Array(), rdev = [0, 0] }, index) => {
    const name = Buffer.from(`${path}\0`);
    const [uid, gid, links, time, devMajor, devMinor, check] = [0, 0, 1, 0, 0, 0, 0];
    const size = content.byteLength;
    const fields = [
      index + 1,
      mode,
      uid,
      gid,
      links,
      time,
      size,
      devMajor,
      devMinor,
      ...rdev,
      name.byteLength,
      check,
    ];
    const header = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`;
    parts.push(padded(Buffer.concat([Buffer.from(header), name])), padded(content));
  });
  return Buffer.concat(parts);
}

/** Names and contents end at multiples of four. */
function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.byteLength % 4)) % 4)]);
}
