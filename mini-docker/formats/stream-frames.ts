// The framing of a container's output without a terminal: each piece follows a header of eight bytes with its
// stream and its length (https://docs.docker.com/reference/api/engine/version/v1.47/, "Stream format" of
// ContainerAttach). With a terminal there is one stream, and no framing.

import { FormatError } from './errors.ts';

export type StreamName = 'stdin' | 'stdout' | 'stderr';

export interface StreamFrame {
  /** 'systemerr' carries a message of the daemon itself, when it fails in the middle of a stream. */
  stream: StreamName | 'systemerr';
  data: Uint8Array;
}

const NAMES = ['stdin', 'stdout', 'stderr', 'systemerr'] as const;
const HEADER = 8;

/** Header and data in one new array, so that one write sends both. */
export function encodeFrame(stream: StreamFrame['stream'], data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER + data.length);
  frame[0] = NAMES.indexOf(stream);
  new DataView(frame.buffer).setUint32(4, data.length);
  frame.set(data, HEADER);
  return frame;
}

export interface FrameDecoder {
  /**
   * Decodes the next bytes of the stream, cut anywhere. A frame longer than a chunk is returned in pieces, so
   * that no data is held back.
   * @throws FormatError when a header names an unknown stream
   */
  push(chunk: Uint8Array): StreamFrame[];
  /** Whether the stream may end here: between two frames. */
  readonly complete: boolean;
}

export function frameDecoder(): FrameDecoder {
  const header = new Uint8Array(HEADER);
  const view = new DataView(header.buffer);
  let have = 0;
  let left = 0;
  let stream: StreamFrame['stream'] = 'stdout';

  return {
    push(chunk) {
      const frames: StreamFrame[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (left === 0) {
          const take = Math.min(HEADER - have, chunk.length - at);
          header.set(chunk.subarray(at, at + take), have);
          have += take;
          at += take;
          if (have < HEADER) break;
          have = 0;
          stream = nameOf(header[0]!);
          left = view.getUint32(4);
          continue;
        }
        const take = Math.min(left, chunk.length - at);
        frames.push({ stream, data: chunk.subarray(at, at + take) });
        left -= take;
        at += take;
      }
      return frames;
    },
    get complete() {
      return have === 0 && left === 0;
    },
  };
}

function nameOf(byte: number): StreamFrame['stream'] {
  const name = NAMES[byte];
  if (name === undefined) throw new FormatError(`unrecognized stream: ${byte}`);
  return name;
}
