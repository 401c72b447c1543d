// Takes the frames of an attach apart.   Run: node frames.ts < STREAM

/** Bytes: the number of the stream, three zeros, the length of what follows (big-endian, 4 bytes). */
const HEADER = 8;

let rest = Buffer.alloc(0);
for await (const piece of process.stdin) {
  rest = Buffer.concat([rest, piece as Buffer]);
  while (rest.length >= HEADER) {
    const end = HEADER + rest.readUInt32BE(4);
    if (rest.length < end) break;
    const output = rest[0] === 2 ? process.stderr : process.stdout;
    output.write(rest.subarray(HEADER, end));
    rest = rest.subarray(end);
  }
}
if (rest.length > 0) {
  console.error('frames: the stream ended in the middle of a frame');
  process.exitCode = 1;
}
