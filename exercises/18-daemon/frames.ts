// Takes the frames of an attach apart.   Run: node frames.ts < STREAM

/** Bytes: the number of the stream, three zeros, the length of what follows (big-endian, 4 bytes). */
const HEADER = 8;

let rest = Buffer.alloc(0);
for await (const piece of process.stdin) {
  rest = Buffer.concat([rest, piece as Buffer]);
  // TODO: which frames are complete, and where does each go?
  void HEADER;
}
// TODO: did it end in the middle of a frame?
