import type { Logger, Metrics } from '@surety/runtime';
import type { Life } from '@surety/testing/simulation';

const NOTHING = {
  inc: () => undefined,
  set: () => undefined,
  observe: () => undefined,
  labels: () => NOTHING,
};

/** Metrics that nobody reads. */
export const NO_METRICS = new Proxy({}, { get: () => NOTHING }) as Metrics;

/** Nobody reads it either; but what a process calls an error is one that no correct process meets. */
export function watchfulLog(life: Life): Logger {
  const log = {
    isDebugEnabled: () => false,
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message: string, fields: { transferId?: string } = {}) => {
      const ids = fields.transferId ? [fields.transferId] : [];
      life.kernel.broken(`${life.process.name} reports: ${message} ${describe(fields)}`, ids);
    },
  };
  return log as unknown as Logger;
}

function describe(fields: object): string {
  return JSON.stringify(fields, (_, value: unknown) => {
    if (value instanceof Error) return causes(value);
    return typeof value === 'bigint' ? String(value) : value;
  });
}

export function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${causes(error.cause)}`;
}
