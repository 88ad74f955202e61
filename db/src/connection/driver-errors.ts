/**
 * Every number and code of the driver and of both engines that this room tells apart. What is not
 * listed counts as the environment's fault: a message is never given up for an error nobody knows.
 */
export interface DriverError extends Error {
  readonly errno?: number;
  readonly code?: string;
  readonly sqlState?: string;
  readonly fatal?: boolean;
}

/** The database undid the transaction, or one statement of it: the whole is tried again. */
const CONTENTION: ReadonlySet<number> = new Set([
  1213, // deadlock: rolled back by the server
  1205, // lock wait time-out: only the statement was undone
  1020, // MariaDB: record has changed since last read
]);

const DUPLICATE_KEY = 1062;

/** A grant is missing: an answer, and before COMMIT was reached. */
const DENIED: ReadonlySet<number> = new Set([
  1142, // of a table
  1143, // of a column
]);

/** A fence found a newer holding (check-fence.ts). */
const FENCED = 1172;

/** As `Failure.code`: only the statement was undone, after the whole wait. */
export const LOCK_TIMEOUT = '1205';

/** A row or a composed batch that cannot be stored as it is, however often it is tried. */
const DATA: ReadonlySet<number> = new Set([
  1048, // column cannot be null
  1153, // packet larger than max_allowed_packet: a smaller batch fits
  1242, // a subquery returned more than one row
  1264, // out of range for its column
  1265, // data truncated
  1292, // incorrect value
  1364, // no value for a column without default
  1366, // incorrect string or number
  1406, // too long for its column
  1690, // value out of range in an expression: a guard found other rows than were expected
  3140, // invalid JSON text
  3156, // invalid JSON value for CAST
  3669, // JSON_TABLE: missing value
  4038, // MariaDB: invalid JSON text
  4174, // MariaDB JSON_TABLE: cannot store the value
  4178, // MariaDB JSON_TABLE: value on error
]);

/** The server refused before anything of the packet could be committed. */
const NEVER_COMMITTED: ReadonlySet<number> = new Set([
  1290, // running with read_only
  1792, // read-only transaction
  1836, // running in read-only mode
]);

/** The server said goodbye: it answers nothing more on this connection. */
const CONNECTION_ENDED: ReadonlySet<number> = new Set([
  1053, // shutdown in progress
  1153, // packet too large: the server closes the connection
  1158,
  1159,
  1160,
  1161, // network errors while reading and writing packets
  1184, // aborted connection
  1927, // MariaDB: connection was killed
  4031, // MySQL: disconnected because of inactivity
]);

/** The answer did not come in time: the server is hung, or the network swallows packets. */
export class AnswerTimeoutError extends Error {
  override readonly name = 'AnswerTimeoutError';
}

export type FailureKind = 'contention' | 'duplicate' | 'fenced' | 'data' | 'denied' | 'environment';

export interface Failure {
  readonly kind: FailureKind;
  /** Number or code, for counters and logs. */
  readonly code: string;
  /** The connection must not be used again. */
  readonly connectionEnded: boolean;
  /** True where a COMMIT in the same packet may have been carried out all the same. */
  readonly mayBeCommitted: boolean;
}

export function failureOf(error: unknown): Failure {
  const { errno, code, sqlState, fatal } = (error ?? {}) as DriverError;
  const answered = typeof sqlState === 'string' && errno !== undefined;
  if (!answered) {
    const name = error instanceof Error ? error.name : 'unknown';
    return {
      kind: 'environment',
      code: code ?? name,
      connectionEnded: true,
      mayBeCommitted: true,
    };
  }
  const kind = kindOf(errno);
  return {
    kind,
    code: String(errno),
    connectionEnded: fatal === true || CONNECTION_ENDED.has(errno),
    mayBeCommitted: kind === 'environment' && !NEVER_COMMITTED.has(errno),
  };
}

function kindOf(errno: number): FailureKind {
  if (CONTENTION.has(errno)) return 'contention';
  if (errno === DUPLICATE_KEY) return 'duplicate';
  if (errno === FENCED) return 'fenced';
  if (DENIED.has(errno)) return 'denied';
  return DATA.has(errno) ? 'data' : 'environment';
}
