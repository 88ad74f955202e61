import {
  clearProjections,
  readEventsPage,
  upsertBalances,
  upsertTransactionStatuses,
} from '@surety/db';
import type { DatabaseMetrics, EventPosition, Session } from '@surety/db';
import type { Metrics } from '@surety/runtime';
import type { RebuildStore } from './rebuild.js';
import type { ProjectionStore } from './shard-projection.js';

export function projectionStore(session: Session): ProjectionStore {
  return {
    shard: session.id,
    upsertBalances: (rows) => upsertBalances(session, rows),
    upsertStatuses: (rows) => upsertTransactionStatuses(session, rows),
  };
}

export function rebuildStore(session: Session): RebuildStore<EventPosition> {
  return {
    ...projectionStore(session),
    clear: () => clearProjections(session),
    readEvents: async (after, limit) => {
      const rows = await readEventsPage(session, after, limit);
      const next = rows.length === limit ? rows.at(-1) : undefined;
      return { encoded: rows.map((row) => row.envelope), next };
    },
  };
}

export function databaseMetrics(metrics: Metrics): DatabaseMetrics {
  return {
    statement: () => {
      metrics.sqlStatementsTotal.inc();
    },
    commit: () => {
      metrics.sqlCommitsTotal.inc();
    },
    retry: (code) => {
      metrics.errorsTotal.inc({ kind: `retry_${code}`, shard: '' });
    },
  };
}
