// A client of the Kubernetes container runtime interface, as a kubelet is one: gRPC over a Unix socket. Messages are
// written as field numbers, which are all that goes over the wire (k8s.io/cri-api/pkg/apis/runtime/v1/api.proto).
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';

/** A message as [field number, value]; a list of fields is a message within. */
export type Field = readonly [number, number | string | readonly Field[]];

export class CriClient {
  readonly #session: ClientHttp2Session;

  constructor(socket: string) {
    this.#session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  }

  /** @returns the answer's fields: numbers, and bytes for all else */
  async call(method: string, request: readonly Field[]): Promise<Map<number, Buffer | number>> {
    const body = encode(request);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.length, 1);
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `/runtime.v1.RuntimeService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const pieces: Buffer[] = [];
    let status: Record<string, unknown> = {};
    stream.on('response', headers => {
      status = headers;
    });
    stream.on('trailers', trailers => {
      status = trailers;
    });
    stream.on('data', piece => pieces.push(piece));
    stream.end(Buffer.concat([prefix, body]));
    await new Promise((done, failed) => stream.once('close', done).once('error', failed));
    if (status['grpc-status'] !== '0')
      throw new Error(`${method}: ${decodeURIComponent(String(status['grpc-message']))}`);
    return decode(Buffer.concat(pieces).subarray(5));
  }

  close(): void {
    this.#session.close();
  }
}

/** Types of fields on the wire: protobuf.dev, "Encoding". */
const VARINT = 0;
const BYTES = 2;

function encode(fields: readonly Field[]): Buffer {
  const pieces = fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [varint((number << 3) | VARINT), varint(value)];
    const bytes = typeof value === 'string' ? Buffer.from(value) : encode(value);
    return [varint((number << 3) | BYTES), varint(bytes.length), bytes];
  });
  return Buffer.concat(pieces);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

function decode(bytes: Buffer): Map<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = next();
    const value = next();
    if ((key & 7) === VARINT) fields.set(key >> 3, value);
    else {
      fields.set(key >> 3, bytes.subarray(at, at + value));
      at += value;
    }
  }
  return fields;
}
