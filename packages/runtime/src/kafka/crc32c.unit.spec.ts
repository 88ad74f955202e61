import { expect, test } from '@jest/globals';
import { crc32c } from './crc32c.js';

/** The examples of RFC 3720, B.4, and the usual check value. */
test.each([
  ['nothing', Buffer.alloc(0), 0],
  ['the digits', Buffer.from('123456789'), 0xe3069283],
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['ascending bytes', Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e],
  ['descending bytes', Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), 0x113fdb5c],
])('CRC32C of %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('a part of the bytes has the checksum of that part', () => {
  const bytes = Buffer.from('..123456789...');
  expect(crc32c(bytes, 2, 11)).toBe(0xe3069283);
});
