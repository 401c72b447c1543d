// Go's os.FileMode, which Docker's API uses for a file's kind and permissions
// (https://pkg.go.dev/io/fs#FileMode), from st_mode of stat(2).

const KIND = 0o170000;

// Keys of a map, not of an object: biome 2.6 "simplifies" octal keys of objects to wrong numbers.
const HIGH_BITS = new Map([
  [0o040000, 2 ** 31], // directory
  [0o120000, 2 ** 27], // symbolic link
  [0o060000, 2 ** 26], // block device
  [0o020000, 2 ** 26 + 2 ** 21], // character device
  [0o010000, 2 ** 25], // named pipe
  [0o140000, 2 ** 24], // socket
]);

export function encodeFileMode(mode: number): number {
  let result = (mode & 0o777) + (HIGH_BITS.get(mode & KIND) ?? 0);
  if (mode & 0o4000) result += 2 ** 23;
  if (mode & 0o2000) result += 2 ** 22;
  if (mode & 0o1000) result += 2 ** 20;
  return result;
}
