import { expect, test } from 'vitest';
import { decompressed } from './decompress.ts';

/** 'hello tar ' a thousand times, and three million zeros, as python's lzma and bz2 write them. */
const PACKED = {
  xz: [
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4CcPADZdADQZSe6N6Ra1ThZDEvJj/wXLZ5m+0HlMEAE0tQN+nayVyjHByRDOhatcXYquh5l0ULxfjHPHAAAAAAC5K4J9dn/mAAFSkE4AAAA/dd4oscRn+wIAAAAABFla',
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj//8RAWxdAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPgWRjFdYrid/i2lH8MasDedElk4ulcU7IE2PdEDKtfDW1G6eXDdoi3llestk3haR1v+0uIEGxCy4g/XACP0E6vJiiUcR89jyThcJ6nI1/sKMuF0ZWYin4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvul2rFnk5VsFCPnH2q38+1IrdM0eWyBC+d1TPfgpZAk7gMsqbN+1O/DEvS5fqg8+S2ZCkBMO/xCT+HF4WfgLzf+VKEYPqfx83vuaMC5WwI+F84OBwGXEJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvul2rFnk5VsFCPnH2q38+1IrdM0eWyBC+d1TPfgpZAk7gMsqbN+1O/DEvEgn5liNx60AhADsc1On/b6ufDEan7eNMW5wnqcjX+woy4XRlZiKfiqR8id19xnABphNmP3Yr9WQD8QlU/j1kTYxBaWw7m/BcE1HDNGREaqtYB26zrEnGFxZhulmUli+6XasWeTlWwUI+cfarfz7Uit0zR5bIEL53VM9+ClkCTuAyyps37U78MS9FHktXQAAAACfA5m5yIb9IgABkgTAjbcBaatYJbHEZ/sCAAAAAARZWg==',
  ],
  bzip2: [
    'QlpoOTFBWSZTWWV0UZIACcORgEAAIkSUACAAUIYECaqhmUypBlSDakGVIOVIMqQbVINqQfVIPxdyRThQkGV0UZI=',
    'QlpoOTFBWSZTWaZFgLIAFvpACMAAQAAACCAAMMwJqmmpAi2pIEXi7kinChIUyLAWQA==',
  ],
} as const;

async function* pieces(bytes: Buffer, size = 100): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const unpacked = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(decompressed(source)));

test.each(['xz', 'bzip2'] as const)(
  '%s is unpacked, also several streams that follow one another',
  async form => {
    const [text, zeros] = PACKED[form].map(each => Buffer.from(each, 'base64')) as [Buffer, Buffer];
    expect((await unpacked(pieces(text))).toString()).toBe('hello tar '.repeat(1000));
    const both = await unpacked(pieces(Buffer.concat([text, zeros])));
    expect(both.length).toBe(3_010_000);
    expect(both.subarray(10_000).every(byte => byte === 0)).toBe(true);
  },
);

test.each(['xz', 'bzip2'] as const)('%s that is damaged or cut off is said to be', async form => {
  const [text] = PACKED[form].map(each => Buffer.from(each, 'base64')) as [Buffer, Buffer];
  const damaged = Buffer.from(text);
  damaged[Math.floor(text.length / 2)]! ^= 0xff;
  for (const bytes of [text.subarray(0, text.length - 5), text.subarray(0, 30), damaged]) {
    await expect(unpacked(pieces(bytes))).rejects.toThrow(`the ${form} data is damaged`);
  }
});

test('an error of the source is not one of the compression', async () => {
  async function* broken() {
    yield Buffer.from(PACKED.xz[0], 'base64').subarray(0, 40);
    throw new Error('the client went away');
  }
  await expect(unpacked(broken())).rejects.toThrow(/^the client went away$/);
});
