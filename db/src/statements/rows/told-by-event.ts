import { SHORT_FORM_SCHEMA } from '@surety/contracts';

/** Where terms stand in the list of the short form. */
export const TERM_AT = { source: 1, destination: 2, amount: 3, currency: 4 } as const;

/** Where the text of an event has what statements ask of it: first its short form, then its plain one. */
const PATHS = {
  type: ['$.type', '$.type'],
  source: [`$.terms[${TERM_AT.source}]`, '$.data.source'],
  destination: [`$.terms[${TERM_AT.destination}]`, '$.data.destination'],
  amount: [`$.terms[${TERM_AT.amount}]`, '$.data.amount'],
  currency: [`$.terms[${TERM_AT.currency}]`, '$.data.currency'],
  reason: ['$.reason', '$.data.reason'],
  accountId: ['$.accounts[0][0]', '$.accounts[0].id'],
  accountBalance: ['$.accounts[0][1]', '$.accounts[0].balance'],
} as const;

/**
 * What an event tells, as text; NULL where it tells it not. Rows of both forms lie in one table. The
 * path goes by the schema and never by what is found: a member that was put beside the true one
 * would be read here and nowhere else.
 * @param column of the envelope, which must be JSON
 */
export function toldByEvent(member: keyof typeof PATHS, column = 'e.envelope'): string {
  const [short, plain] = PATHS[member];
  const at = (path: string): string => `JSON_UNQUOTE(JSON_EXTRACT(${column}, '${path}'))`;
  return `IF(${column} LIKE '{"schema":${SHORT_FORM_SCHEMA},%', ${at(short)}, ${at(plain)})`;
}
