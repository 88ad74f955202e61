/** Where the text of an event has what statements ask of it: first its short form, then its plain one. */
const PATHS = {
  type: ['$.type', '$.type'],
  source: ['$.terms[1]', '$.data.source'],
  destination: ['$.terms[2]', '$.data.destination'],
  amount: ['$.terms[3]', '$.data.amount'],
  currency: ['$.terms[4]', '$.data.currency'],
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
  return `IF(${column} LIKE '{"schema":2,%', ${at(short)}, ${at(plain)})`;
}
