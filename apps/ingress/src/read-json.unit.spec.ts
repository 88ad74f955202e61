import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from './problem.js';
import { parseJson } from './read-json.js';

/** Code of the problem, then `pointer code` of what it names; or `ok`. */
function verdictOn(text: string): string {
  try {
    parseJson(Buffer.from(text));
    return 'ok';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const named = (error.fields.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`);
    return [error.code, ...named].join(' ');
  }
}

function duplicateAt(pointer: string): string {
  return `invalid-request ${pointer} duplicate_member`;
}

describe('a body', () => {
  test.each<[string, string, string]>([
    ['no JSON', '{"amount":', 'malformed-json'],
    ['two documents', '{} {}', 'malformed-json'],
    ['a scalar', '"a:b"', 'ok'],
    ['an empty object', '{}', 'ok'],
    ['one name in several objects', '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}', 'ok'],
    ['names that differ in case', '{"amount":1,"Amount":2}', 'ok'],
    ['names that differ in their normal form', '{"é":1,"e\u0301":2}', 'ok'],
    ['colons, quotes and braces in values', String.raw`{"a":"b\":{\"a\":[","c":"\\"}`, 'ok'],
    ['names of inherited members', '{"__proto__":1,"constructor":2,"toString":3}', 'ok'],
    ['names like positions', '{"1":1,"0":2,"01":3}', 'ok'],
    ['an empty name', '{"":1}', 'ok'],
    ['the same value twice', '{"a":1,"b":2,"a":1}', duplicateAt('/a')],
    ['another value', '{"amount":"1.00","amount":"100.00"}', duplicateAt('/amount')],
    ['white space between', '{ "a"\n:\t1 ,\r"a" : 2 }', duplicateAt('/a')],
    ['three times', '{"a":1,"a":2,"a":3}', duplicateAt('/a')],
    ['two names, the first that comes again', '{"a":1,"b":2,"b":3,"a":4}', duplicateAt('/b')],
    ['an escape', String.raw`{"amount":1,"amo\u0075nt":2}`, duplicateAt('/amount')],
    ['escapes of two kinds', String.raw`{"\/":1,"\u002f":2}`, duplicateAt('/~1')],
    ['half a surrogate pair', String.raw`{"\ud800":1,"\ud800":2}`, duplicateAt('/\ud800')],
    ['an inherited name', '{"__proto__":1,"__proto__":2}', duplicateAt('/__proto__')],
    ['a name like a position', '{"1":1,"1":2}', duplicateAt('/1')],
    ['the empty name', '{"":1,"":2}', duplicateAt('/')],
    ['a nested object', '{"metadata":{"a":{"b":1,"b":2}}}', duplicateAt('/metadata/a/b')],
    ['an item of a list', '{"transfers":[{"a":1},{"a":1,"a":2}]}', duplicateAt('/transfers/1/a')],
    ['a list in a list', '[0,[{}, {"a":1,"a":2}]]', duplicateAt('/1/1/a')],
    ['a value that is not kept', '{"a":{"b":1,"b":2},"a":1}', duplicateAt('/a/b')],
    ['a name to be escaped', '{"a/b~":{"c":1,"c":2}}', duplicateAt('/a~1b~0/c')],
    [
      'after a value that looks like one',
      String.raw`{"a":"\\\"a\":","b":"\\","b":1}`,
      duplicateAt('/b'),
    ],
    ['after an object and a list', '{"a":[1,{"c":1}],"b":{"a":1},"a":2}', duplicateAt('/a')],
  ])('with %s is judged by its names', (_what, text, expected) => {
    expect(verdictOn(text)).toBe(expected);
  });

  test('is what JSON.parse makes of it', () => {
    const text = '{"amount":1.5,"metadata":{"a":[null,"é"]}}';
    expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  test('is judged by its own names where V8 takes an escaped one for another (nodejs/node#63785)', () => {
    const known: unknown = JSON.parse(String.raw`{"h":[],"\\":0}`);
    expect(verdictOn(String.raw`{"h":1,"\"":2,"\"":3}`)).toBe(duplicateAt('/"'));
    expect(known).toBeDefined();
  });

  test('says why a name may come only once, and that nothing was written', () => {
    expect(() => parseJson(Buffer.from('{"a":1,"a":2}'))).toThrow(
      expect.objectContaining({
        fields: expect.objectContaining({
          detail: expect.stringMatching(/RFC 8259.*Nothing was written/) as unknown,
        }) as unknown,
      }),
    );
  });

  test('is judged without a stack, however deep it is', () => {
    const within = (opening: string, text: string, closing: string): string =>
      opening.repeat(100_000) + text + closing.repeat(100_000);
    expect(parseJson(Buffer.from(within('[', '0', ']')))).toBeInstanceOf(Array);
    expect(parseJson(Buffer.from(within('{"a":', '0', '}')))).toBeInstanceOf(Object);
    expect(verdictOn(within('{"a":', '{"b":1,"b":2}', '}'))).toBe(
      duplicateAt(`${'/a'.repeat(100_000)}/b`),
    );
  });
});

/** JSON as it is written: an object is a list of members, in which a name may come again. */
type Written = { text: string } | { items: Written[] } | { members: [Name, Written][] };

interface Name {
  readonly name: string;
  /** One of the ways to write it. */
  readonly text: string;
}

const unicodeEscape = (unit: string): string =>
  `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Few names, so that they meet often; the units that the mask says are escaped. */
const name = fc
  .tuple(
    fc.constantFrom('', 'a', 'ab', '"', '\\', ':', 'é', '\ud83d', '/~', '0', '__proto__', '{"a":1'),
    fc.oneof(fc.constant(0), fc.nat(0xff)),
  )
  .map(([value, mask]): Name => {
    const units = value.split('').map((unit, at) => {
      const isEscaped = ((mask >> at) & 1) === 1;
      return isEscaped ? unicodeEscape(unit) : JSON.stringify(unit).slice(1, -1);
    });
    return { name: value, text: `"${units.join('')}"` };
  });

const space = fc.constantFrom('', '', ' ', '\n', '\t\r');

const { document } = fc.letrec<{ document: Written }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4 },
    fc
      .oneof(
        fc.json({ maxDepth: 0 }),
        name.map(({ text }) => text),
      )
      .map((text) => ({ text })),
    fc.array(tie('document'), { maxLength: 4 }).map((items) => ({ items })),
    fc.array(fc.tuple(name, tie('document')), { maxLength: 5 }).map((members) => ({ members })),
  ),
}));

function textOf(written: Written, gap: string): string {
  if ('text' in written) return written.text;
  const joined = (parts: string[]): string => gap + parts.join(`${gap},${gap}`) + gap;
  return 'items' in written
    ? `[${joined(written.items.map((item) => textOf(item, gap)))}]`
    : `{${joined(written.members.map(([{ text }, value]) => `${text}${gap}:${gap}${textOf(value, gap)}`))}}`;
}

/** The plain reading: every name is compared with all before it. */
function firstDuplicateIn(written: Written, at = ''): string | undefined {
  if ('text' in written) return undefined;
  if ('items' in written) {
    return firstOf(written.items, (item, index) => firstDuplicateIn(item, `${at}/${index}`));
  }
  return firstOf(written.members, ([own, value], index) => {
    const here = `${at}/${own.name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const earlier = written.members.slice(0, index);
    if (earlier.some(([other]) => other.name === own.name)) return here;
    return firstDuplicateIn(value, here);
  });
}

function firstOf<T>(
  list: readonly T[],
  find: (value: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, value] of list.entries()) {
    const found = find(value, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

test('what is refused, and for which member, is what the plain reading says', () => {
  fc.assert(
    fc.property(document, space, (written, gap) => {
      const pointer = firstDuplicateIn(written);
      const expected = pointer === undefined ? 'ok' : duplicateAt(pointer);
      expect(verdictOn(textOf(written, gap))).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});
