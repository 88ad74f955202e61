import type { AccountId, TransferId } from '@surety/domain';
import { parseTransferId } from '@surety/domain';
import type { CheckResult, Finding } from '../checks/types.js';

/** What a finding is about: the row that its correction begins with. */
export type Subject =
  | { readonly kind: 'transfer'; readonly id: TransferId }
  | { readonly kind: 'account'; readonly id: AccountId }
  | { readonly kind: 'balance'; readonly id: AccountId }
  | { readonly kind: 'status'; readonly id: TransferId };

/** A finding with its check and, where one row is meant, that row. */
export interface Case {
  readonly check: string;
  readonly finding: Finding;
  readonly subject: Subject | undefined;
}

export function casesOf(results: readonly CheckResult[]): readonly Case[] {
  return results.flatMap(({ check, findings }) =>
    findings.map((finding) => ({ check, finding, subject: subjectOf(check, finding) })),
  );
}

/** A finding's key says what to look up, in words: here they are read back. */
export function subjectOf(check: string, { key }: Pick<Finding, 'key'>): Subject | undefined {
  const [word = '', name = ''] = key.split(' ');
  // Only a person can find out where a key went.
  return check === 'keys' ? undefined : READERS.get(word)?.(name);
}

const READERS: ReadonlyMap<string, (name: string) => Subject | undefined> = new Map<
  string,
  (name: string) => Subject | undefined
>([
  ['account', (id) => ({ kind: 'account', id })],
  ['leg', (id) => ({ kind: 'account', id })],
  ['balances', (id) => ({ kind: 'balance', id })],
  ['transaction_status', (id) => transferSubject('status', id)],
  ['transfer', (id) => transferSubject('transfer', id)],
  ['decision', (id) => transferSubject('transfer', id)],
  ['event', (name) => transferSubject('transfer', name.split('/')[0] ?? '')],
]);

/** The id with hyphens or as 32 hex digits. */
function transferSubject(kind: 'transfer' | 'status', text: string): Subject | undefined {
  const hyphened = /^[0-9a-f]{32}$/.test(text)
    ? text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : text;
  const id = parseTransferId(hyphened);
  return id === undefined ? undefined : { kind, id };
}
