import { expect, test } from 'vitest';
import {
  type Attribute,
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  number,
  text,
  u8,
  u32,
} from './message.ts';
import { NetlinkError } from './netlink-error.ts';

test('messages of one datagram come back as they went in, whatever their padding', () => {
  const messages = [
    { type: 16, flags: 5, sequence: 1, body: Buffer.from('odd') },
    { type: 20, flags: 0x600, sequence: 0xffff_ffff, body: Buffer.from('even') },
    { type: 3, flags: 0, sequence: 0, body: Buffer.alloc(0) },
  ];
  const datagram = Buffer.concat(messages.map(encodeMessage));
  expect(datagram.length % 4).toBe(0);
  expect(decodeMessages(datagram)).toEqual(messages);
});

test('text, numbers and nested attributes come back', () => {
  const attributes: Attribute[] = [
    [3, 'eth0'],
    [4, 1500],
    [
      18,
      [
        [1, 'veth'],
        [2, [[1, Buffer.from([1, 2, 3])]]],
      ],
    ],
  ];
  const decoded = decodeAttributes(encodeAttributes(attributes));
  expect(text(decoded.get(3)!)).toBe('eth0');
  expect(number(decoded.get(4)!)).toBe(1500);
  const info = decodeAttributes(decoded.get(18)!);
  expect(text(info.get(1)!)).toBe('veth');
  expect([...decodeAttributes(info.get(2)!).get(1)!]).toEqual([1, 2, 3]);
});

test('an attribute is laid out as the kernel has it: length without padding, then type, then value', () => {
  expect(encodeAttributes([[3, 'lo']]).toString('hex')).toBe(`0700${'0300'}${'6c6f00'}00`);
  expect(encodeAttributes([[4, 1500]]).toString('hex')).toBe('08000400dc050000');
});

test('numbers are read in their own width', () => {
  expect(number(u8(200))).toBe(200);
  expect(number(u32(-1))).toBe(0xffff_ffff);
  expect(number(Buffer.from('0102000000000000', 'hex'))).toBe(0x201);
});

test('a message or attribute that claims more bytes than there are is refused', () => {
  const message = encodeMessage({ type: 1, flags: 0, sequence: 0, body: Buffer.alloc(8) });
  expect(() => decodeMessages(message.subarray(0, 20))).toThrow(RangeError);
  expect(() => decodeAttributes(Buffer.from('0900030061000000', 'hex'))).toThrow(RangeError);
  expect(() => decodeAttributes(Buffer.from('0000030061000000', 'hex'))).toThrow(RangeError);
});

test('a kind of link that the kernel does not have is named with its module', () => {
  const kernelMessage = 'Unknown device type.';
  const error = new NetlinkError({ doing: 'create link eth0.20 (vlan)', errno: 95, kernelMessage });
  expect(error.message).toMatch(/\(modprobe 8021q\)$/);
  expect(new NetlinkError({ doing: 'set link 3 up', errno: 95 }).message).not.toContain('modprobe');
});
