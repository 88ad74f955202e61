import { expect, it } from '@jest/globals';
import { TermsReader } from './told-terms.js';

it.each<[string, string, string | null]>([
  [
    'all terms',
    '{"id":"x","data":{"kind":"transfer","source":"a","destination":"b","amount":"5","currency":"EUR"}}',
    '5 EUR a b',
  ],
  [
    'the short form',
    '{"schema":2,"type":"held","terms":["transfer","a","b","5","EUR"],"data":{"amount":"6"}}',
    '5 EUR a b',
  ],
  ['a short form without all terms', '{"schema":2,"terms":["transfer","a","b"]}', 'a b'],
  ['a short form without terms', '{"schema":2,"data":{"amount":"5"}}', ''],
  ['terms in the plain form', '{"schema":1,"terms":["transfer","a","b","5","EUR"]}', ''],
  ['a member that is missing', '{"data":{"amount":"5","source":"a","destination":"b"}}', '5 a b'],
  ['no data', '{}', ''],
  ['data that are no object', '{"data":["5","EUR","a","b"]}', ''],
  ['data that are null', '{"data":null}', ''],
  ['an array', '[{"data":{"amount":"5"}}]', ''],
  ['a number', '5', ''],
  ['null', 'null', ''],
  ['no JSON', '{"data":', null],
  ['nothing', '', null],
  [
    'an amount without quotes',
    '{"data":{"amount":5,"currency":"EUR","source":"a","destination":"b"}}',
    '5 EUR a b',
  ],
  ['an amount that is rounded', '{"data":{"amount":9007199254740993,"source":"a"}}', 'rounded a'],
  ['a fraction', '{"data":{"amount":5.5}}', 'rounded'],
  [
    'members of other kinds',
    '{"data":{"amount":null,"currency":{},"source":true}}',
    'null {} true',
  ],
  ['an empty member', '{"data":{"amount":"","currency":"EUR"}}', ' EUR'],
  ['escapes', '{"data":{"source":"\\u0061","destination":"\\"b\\""}}', 'a "b"'],
  ['two members of one name', '{"data":{"amount":"5","amount":"6"}}', '6'],
  ['deep nesting', `{"data":{"amount":"5","metadata":${'['.repeat(200)}${']'.repeat(200)}}}`, '5'],
  ['names of every object', '{"data":{"__proto__":{"amount":"5"},"currency":"EUR"}}', 'EUR'],
])('%s', (_, envelope, told) => {
  expect(new TermsReader().read(envelope)).toBe(told);
});

it('reads the terms of each event, whatever those before it told', () => {
  const reader = new TermsReader();
  const read = (terms: string): string | null =>
    reader.read(
      `{"schema":2,"type":"held","id":"x","step":20,"slots":[1,2],"at":"t","by":"saga","terms":[${terms}]}`,
    );
  const five = '"transfer","a","b","5","EUR"';
  expect(read(five)).toBe('5 EUR a b');
  expect(read(five)).toBe('5 EUR a b');
  expect(read('"transfer","a","b","6","EUR"')).toBe('6 EUR a b');
  expect(read('')).toBe('');
  expect(read(five)).toBe('5 EUR a b');
});
