import { pointerOf } from './json-pointer.js';

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * Finds a name that comes twice in one object, at any depth. Names are equal where they are once
 * their escapes are undone. What a reader makes of such an object is unpredictable (RFC 8259,
 * section 4): the next reader of the same bytes may see another sum. I-JSON forbids it (RFC 7493,
 * section 2.3).
 *
 * JSON.parse keeps one member of each name, so the text has more names than the value has members
 * where one came twice. The two counts cost half of what parsing does; reading the names one by one,
 * which says where, costs four times as much as parsing and is left for what they cannot clear.
 * @param bytes a document that JSON.parse took
 * @param json what it made of them
 * @returns the JSON pointer of the first member whose name its object had already, else undefined
 */
export function findDuplicateMember(bytes: Buffer, json: unknown): string | undefined {
  if (countPlainNames(bytes) === countMembers(json)) return undefined;
  return firstDuplicateMember(bytes.toString('utf8'));
}

/**
 * How many names there are: outside of strings a colon follows a name and nothing else.
 * @returns undefined where one is written with an escape: V8 may take two such names that are equal
 * for different ones (nodejs/node#63785), so that the counts would agree
 */
function countPlainNames(bytes: Buffer): number | undefined {
  let names = 0;
  let isInString = false;
  let isEscaped = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      isInString = !isInString;
      if (isInString) isEscaped = false;
    } else if (byte === BACKSLASH) {
      isEscaped = true;
      at += 1;
    } else if (byte === COLON && !isInString) {
      if (isEscaped) return undefined;
      names += 1;
    }
  }
  return names;
}

/** With a list of its own in place of recursion: JSON.parse takes values deeper than the stack is. */
function countMembers(json: unknown): number {
  let members = 0;
  const rest: object[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) rest.push(value);
  };
  visit(json);
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (Array.isArray(next)) {
      next.forEach(visit);
      continue;
    }
    // Nothing that JSON.parse makes inherits an enumerable name; lists of names would be garbage.
    for (const name in next) {
      members += 1;
      visit((next as Readonly<Record<string, unknown>>)[name]);
    }
  }
  return members;
}

/** An object or a list that is being read, and the member or item of it that the reading is at. */
type Level =
  | { readonly kind: 'object'; readonly names: Set<string>; step: string }
  | { readonly kind: 'list'; step: number };

/** Goes by the text alone: of two members of one name the value has only the last. */
function firstDuplicateMember(text: string): string | undefined {
  const path: Level[] = [];
  let string = '';
  for (let at = 0; at < text.length; at += 1) {
    const mark = text[at];
    if (mark === '"') {
      string = stringAt(text, at);
      at += string.length - 1;
    } else if (mark === ':') {
      const isNew = takeName(path, JSON.parse(string) as string);
      if (!isNew) return pointerOf(path.map(({ step }) => step));
    } else {
      follow(path, mark);
    }
  }
  return undefined;
}

/** The string that begins here, with its quotes, as it is written. */
function stringAt(text: string, from: number): string {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return text.slice(from, at + 1);
}

/** @returns whether its object had no member of this name yet */
function takeName(path: readonly Level[], name: string): boolean {
  const level = path.at(-1);
  if (level?.kind !== 'object') throw new Error('a name stands outside of an object');
  const isNew = !level.names.has(name);
  level.names.add(name);
  level.step = name;
  return isNew;
}

function follow(path: Level[], mark: string | undefined): void {
  const level = path.at(-1);
  if (mark === '{') path.push({ kind: 'object', names: new Set(), step: '' });
  else if (mark === '[') path.push({ kind: 'list', step: 0 });
  else if (mark === '}' || mark === ']') path.pop();
  else if (mark === ',' && level?.kind === 'list') level.step += 1;
}
