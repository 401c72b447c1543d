// Netlink messages as bytes (netlink(7)): a header of 16 bytes, a fixed part that depends on the type, attributes.
// Everything is in the host's byte order, which on x86-64 and arm64 is little-endian, and padded to 4 bytes.
import { NLA_F } from './constants.ts';

/**
 * A type and a value: bytes, text (NUL-terminated on the wire), a number (u32), or nested attributes. One without a
 * value is left out of a message.
 */
export type Attribute = readonly [type: number, value: Value | undefined];
type Value = Uint8Array | string | number | readonly Attribute[];

export interface Message {
  type: number;
  flags: number;
  sequence: number;
  /** The fixed part and the attributes. */
  body: Uint8Array;
}

export const HEADER_LENGTH = 16;
const ATTRIBUTE_HEADER = 4;

const aligned = (length: number): number => (length + 3) & ~3;

export function encodeMessage(message: Message): Buffer {
  const { type, flags, sequence, body } = message;
  const bytes = Buffer.alloc(aligned(HEADER_LENGTH + body.byteLength));
  bytes.writeUInt32LE(HEADER_LENGTH + body.byteLength, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.set(body, HEADER_LENGTH);
  return bytes;
}

/** Decodes all messages of one datagram. The bodies are views of `bytes`. */
export function decodeMessages(bytes: Uint8Array): Message[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_LENGTH <= view.length; ) {
    const length = view.readUInt32LE(at);
    if (length < HEADER_LENGTH || at + length > view.length)
      throw new RangeError(
        `a netlink message of ${length} bytes does not fit into the ${view.length - at} left`,
      );
    messages.push({
      type: view.readUInt16LE(at + 4),
      flags: view.readUInt16LE(at + 6),
      sequence: view.readUInt32LE(at + 8),
      body: view.subarray(at + HEADER_LENGTH, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(
    attributes.map(([type, value]) => (value === undefined ? Buffer.alloc(0) : encodeAttribute(type, value))),
  );
}

function encodeAttribute(type: number, value: Value): Buffer {
  const nested = Array.isArray(value);
  const payload = nested ? encodeAttributes(value) : encodeScalar(value as Uint8Array | string | number);
  const bytes = Buffer.alloc(aligned(ATTRIBUTE_HEADER + payload.byteLength));
  bytes.writeUInt16LE(ATTRIBUTE_HEADER + payload.byteLength, 0);
  bytes.writeUInt16LE(nested ? type | NLA_F.NESTED : type, 2);
  bytes.set(payload, ATTRIBUTE_HEADER);
  return bytes;
}

function encodeScalar(value: Uint8Array | string | number): Uint8Array {
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  return typeof value === 'number' ? u32(value) : value;
}

/**
 * Attributes by type, without the NLA_F_ bits; of several with the same type, the last. The values are views
 * of `bytes`, which the caller decodes with text(), number() or decodeAttributes(), depending on the type.
 */
export function decodeAttributes(bytes: Uint8Array): Map<number, Buffer> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + ATTRIBUTE_HEADER <= view.length; ) {
    const length = view.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER || at + length > view.length)
      throw new RangeError(
        `a netlink attribute of ${length} bytes does not fit into the ${view.length - at} left`,
      );
    const type = view.readUInt16LE(at + 2) & ~(NLA_F.NESTED | NLA_F.NET_BYTEORDER);
    attributes.set(type, view.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** The text of an attribute, without its NUL. */
export function text(value: Uint8Array): string {
  const end = value.indexOf(0);
  return Buffer.from(value.subarray(0, end < 0 ? value.length : end)).toString('utf8');
}

/** The number of 1, 2, 4 or 8 bytes in an attribute. */
export function number(value: Uint8Array): number {
  const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return view.length === 8 ? Number(view.readBigUInt64LE()) : view.readUIntLE(0, view.length);
}

export function u8(value: number): Buffer {
  return Buffer.from([value]);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** A number of 2 bytes in network byte order, as ports have it. */
export function u16Network(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
