import { describe, expect, it } from '@jest/globals';
import { StoreError } from '@surety/saga';
import {
  bytes,
  count,
  jsonRows,
  storedText,
  text,
  time,
  uuid,
  word,
  wordOrNull,
} from './literals.js';

describe('word', () => {
  it.each(['ACC001', 'a', '~transit:4095:EUR', 'a.b_c-d:e', 'x'.repeat(64)])(
    'takes %s',
    (value) => {
      expect(word(value)).toBe(`'${value}'`);
    },
  );

  it.each([
    '',
    ' ',
    'a ',
    'a b',
    "a'b",
    'a\\',
    'é',
    'a\n',
    'a\u0000',
    'x'.repeat(65),
    '1;--',
    'a"',
  ])('refuses %j', (value) => {
    expect(() => word(value)).toThrow(StoreError);
  });

  it('knows no word at all', () => {
    expect(wordOrNull(null)).toBe('NULL');
  });
});

describe('other literals', () => {
  it('write a UUID and bytes as hex', () => {
    expect(uuid('0190a5d0-ac96-774b-bcce-b302099a8057')).toBe(
      "x'0190a5d0ac96774bbcceb302099a8057'",
    );
    expect(bytes('00ff')).toBe("x'00ff'");
  });

  it.each([
    '',
    "x'",
    '0190a5d0-ac96-774b-bcce-b302099a805',
    '0190A5D0-AC96-774B-BCCE-B302099A8057',
  ])('refuse %j as a UUID', (value) => {
    expect(() => uuid(value)).toThrow(StoreError);
  });

  it.each(['0', 'fg', "'", 'FF'])('refuse %j as bytes', (value) => {
    expect(() => bytes(value)).toThrow(StoreError);
  });

  it('write times in UTC as they stand', () => {
    expect(time('2026-01-31T23:59:59.000001Z')).toBe("'2026-01-31 23:59:59.000001'");
    expect(time('2026-01-31T23:59:59Z')).toBe("'2026-01-31 23:59:59'");
  });

  it.each(['2026-01-31', '2026-01-31T10:00:00+01:00', "2026-01-31T10:00:00.1' OR 1Z", ''])(
    'refuse %j as a time',
    (value) => {
      expect(() => time(value)).toThrow(StoreError);
    },
  );

  it('escape text', () => {
    expect(text(`it's \\ "\n`)).toBe(`'it\\'s \\\\ \\"\\n'`);
    expect(text('{"a":"u ? -- ;"}')).toBe(`'{"a":"u ? -- ;"}'`);
    expect(text('')).toBe("''");
    for (const special of ["'", '\\', '\u0000', '\n', '\r', '\u001a']) {
      expect(text(`a${special}b`)).toMatch(/^'a\\.b'$/);
    }
  });

  it('are ASCII whatever the text', () => {
    expect(text('ü')).toBe("_utf8mb4 x'c3bc'");
    expect(text("a'😀")).toBe("_utf8mb4 x'6127f09f9880'");
    expect(text('\ud83d')).toBe("_utf8mb4 x'efbfbd'");
    expect(text('\u007f')).toBe("'\u007f'");
  });

  it('hand over as bytes what is only stored', () => {
    expect(storedText('{"a":"u ? -- ;"}')).toBe(`_binary'{"a":"u ? -- ;"}'`);
    expect(storedText('')).toBe("_binary''");
    expect(storedText("'")).toBe("x'27'");
    expect(storedText('\\')).toBe("x'5c'");
    expect(storedText('ü')).toBe("x'c3bc'");
    expect(storedText('\ud83d')).toBe("x'efbfbd'");
  });

  it.each([0.5, Number.NaN, 2 ** 53])('refuse %d as a count', (value) => {
    expect(() => count(value)).toThrow(StoreError);
  });

  it('write rows of JSON with exact numbers', () => {
    expect(jsonRows([['a', 9_007_199_254_740_993n, null]])).toBe(
      `'[["a","9007199254740993",null]]'`,
    );
    expect(() => jsonRows([["a'b"]])).toThrow(StoreError);
    expect(() => jsonRows([['a"b']])).toThrow(StoreError);
    for (const cell of ['\\', 'ü', 'a\n', '\u007f', '\ud83d']) {
      expect(() => jsonRows([[cell]])).toThrow(StoreError);
    }
    expect(jsonRows([])).toBe("'[]'");
  });
});
