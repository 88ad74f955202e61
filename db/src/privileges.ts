/**
 * The processes and people that come to a shard with a user of their own. `reconciler` has sweeps,
 * patrol, seals and checks; `operator` is the command `surety`, corrections included.
 */
export const ROLES = [
  'ingress',
  'relay',
  'workers',
  'projector',
  'reconciler',
  'operator',
  'migrator',
] as const;

export type Role = (typeof ROLES)[number];

/** Everybody but the migrator, who comes before the tables do. */
export type RowRole = Exclude<Role, 'migrator'>;

/** Of one table, as they stand in a GRANT: `SELECT, INSERT, UPDATE (state, reason)`. */
export type TablePrivileges = Readonly<Partial<Record<RowRole, string>>>;

/** What a step changes of an account; its owner, currency and overdraft are nobody's to change. */
const MONEY = 'UPDATE (balance, held, version, entry_seq)';
const STATE = 'UPDATE (state, reason)';
/**
 * For an upsert MariaDB asks for UPDATE of every column that it inserts, the key as well, so these
 * tables are given as a whole. None of them holds money or what was decided.
 */
const UPSERT = 'SELECT, INSERT, UPDATE';

/**
 * What each role may do with the rows of each table; what is not here it may not do. Derived from the
 * statements: a role has what its statements need, and an UPDATE is of the columns that they set.
 *
 * `SELECT … FOR UPDATE` needs, on MySQL, UPDATE of any column, or DELETE; on MariaDB, and in shared
 * mode on both, SELECT is enough (tried on MySQL 9.7 and MariaDB 11.4). So what is written once is
 * lock-read in shared mode, and nobody need be allowed to change it.
 */
export const PRIVILEGES: Readonly<Record<string, TablePrivileges>> = {
  // Written once. Nobody may change or remove a row, whoever he is.
  transfer_events: {
    ingress: 'SELECT, INSERT',
    workers: 'INSERT',
    projector: 'SELECT',
    reconciler: 'SELECT, INSERT',
    operator: 'SELECT, INSERT',
  },
  decisions: {
    ingress: 'SELECT, INSERT',
    workers: 'SELECT, INSERT',
    reconciler: 'SELECT, INSERT',
    operator: 'SELECT, INSERT',
  },
  ledger_entries: {
    ingress: 'SELECT, INSERT',
    workers: 'INSERT',
    reconciler: 'SELECT, INSERT',
    operator: 'SELECT, INSERT',
  },
  ledger_seals: { reconciler: 'SELECT, INSERT', operator: 'SELECT' },
  ledger_seal_parts: { reconciler: 'SELECT, INSERT', operator: 'SELECT' },
  audit_log: { reconciler: 'INSERT', operator: 'SELECT, INSERT' },
  currencies: { ingress: 'SELECT, INSERT', reconciler: 'SELECT', operator: 'SELECT' },

  // What a step compares and sets.
  accounts: {
    ingress: `SELECT, INSERT, ${MONEY}`,
    workers: `SELECT, ${MONEY}`,
    reconciler: `SELECT, ${MONEY}`,
    operator: 'SELECT, UPDATE (balance, held, version, entry_seq, status)',
  },
  transfers: {
    ingress: `SELECT, INSERT, ${STATE}`,
    workers: `SELECT, ${STATE}`,
    reconciler: `SELECT, ${STATE}`,
    operator: `SELECT, ${STATE}`,
  },
  holds: {
    ingress: 'SELECT, INSERT, DELETE',
    workers: 'SELECT, INSERT, DELETE',
    reconciler: 'SELECT, DELETE',
    operator: 'SELECT, INSERT, DELETE',
  },
  open_transfers: {
    ingress: 'SELECT, INSERT, DELETE',
    workers: 'SELECT, DELETE',
    reconciler: 'SELECT, INSERT, DELETE',
    operator: 'SELECT, INSERT, DELETE',
  },
  idempotency_keys: {
    ingress: 'SELECT, INSERT',
    reconciler: 'SELECT, DELETE',
    operator: 'SELECT',
  },
  outbox: {
    ingress: 'INSERT',
    workers: 'INSERT',
    relay: 'SELECT, DELETE',
    reconciler: 'SELECT, INSERT',
    operator: 'SELECT, INSERT',
  },
  // The reconciler moves the end of the list. Checks of one instant lock the row exclusively: the
  // operator changes nothing there, and that column is the one that can do least.
  placement: {
    ingress: 'SELECT',
    relay: 'SELECT',
    workers: 'SELECT',
    projector: 'SELECT',
    reconciler: 'SELECT, UPDATE (listed_below)',
    operator: 'SELECT, UPDATE (listed_below)',
  },

  // Disposable: made anew from the rows above.
  balances: {
    projector: `${UPSERT}, DELETE`,
    reconciler: `${UPSERT}, DELETE`,
    operator: `${UPSERT}, DELETE`,
  },
  transaction_status: {
    projector: `${UPSERT}, DELETE`,
    reconciler: `${UPSERT}, DELETE`,
    operator: `${UPSERT}, DELETE`,
  },

  // What processes keep for themselves.
  leases: { relay: UPSERT, reconciler: UPSERT, operator: 'SELECT' },
  lease_fences: { reconciler: UPSERT },
  sweep_positions: { reconciler: UPSERT },
  dead_letters: {
    workers: UPSERT,
    projector: UPSERT,
    operator: 'SELECT, UPDATE (state, handled_by, handled_reason, handled_at)',
  },
  ledger_seal_positions: { reconciler: UPSERT, operator: 'SELECT' },
  verified_points: { reconciler: UPSERT, operator: UPSERT },
  verified_accounts: { reconciler: UPSERT, operator: UPSERT },
  verified_open_transfers: { reconciler: `${UPSERT}, DELETE`, operator: `${UPSERT}, DELETE` },
};

/**
 * Of a whole schema, because tables that are not there yet have no privileges of their own. Migrations
 * change rows of what they alter, and knex keeps its list and its lock in tables. ALTER brings keys
 * along; nothing is dropped or emptied, for which DROP would be needed.
 */
export const MIGRATOR_PRIVILEGES = 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER';
