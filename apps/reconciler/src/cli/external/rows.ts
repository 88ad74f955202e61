import type { TransferId } from '@surety/domain';
import type { Day } from './calendar.js';

/** A line of the file that is to be found here. */
export interface FileRow {
  readonly side: 'file';
  readonly key: string;
  readonly line: number;
  readonly minor: bigint;
  readonly currency: string;
  /** Null where the file has no dates. */
  readonly day: Day | null;
}

/** A movement on the account that is to be found in the file. */
export interface LedgerRow {
  readonly side: 'ledger';
  readonly key: string;
  readonly transferId: TransferId;
  readonly minor: bigint;
  readonly currency: string;
  readonly day: Day;
}

export type DifferenceKind =
  'missing_here' | 'missing_there' | 'amount_differs' | 'currency_differs' | 'duplicate_in_file';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly file: FileRow | undefined;
  readonly ledger: LedgerRow | undefined;
}

/** One text for both sides; amountAndDate compares days afterwards, as they need not be equal. */
export function amountKey(minor: bigint, currency: string): string {
  return `${currency} ${minor}`;
}
