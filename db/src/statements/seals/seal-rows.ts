import type { Timestamp } from '@surety/contracts';
import type { AccountId, ShardId } from '@surety/domain';
import { readBigint, readCount, readHex, readText, readTime } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

/** One row of `ledger_seals`. Hashes are hex. */
export interface SealRow {
  readonly seal: bigint;
  readonly shard: ShardId;
  readonly previousHash: string;
  readonly root: string;
  readonly parts: bigint;
  readonly entries: bigint;
  /** The instant up to which the ledger is sealed. */
  readonly sealedAt: Timestamp;
  readonly hash: string;
}

/** One row of `ledger_seal_parts`: what a seal says of one account. */
export interface SealPartRow {
  readonly seal: bigint;
  readonly account: AccountId;
  readonly slot: number;
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
  /** After the last entry, in minor units. */
  readonly balance: bigint;
  readonly root: string;
  /** Hex; a record of fixed length for each entry. */
  readonly witness: string;
  readonly previousHash: string;
  readonly hash: string;
}

export const SEAL_COLUMNS = 'seal, shard, previous_hash, root, parts, entries, sealed_at, hash';

export function readSealRow(row: Row): SealRow {
  return {
    seal: readBigint(row[0]),
    shard: readCount(row[1]),
    previousHash: readHex(row[2]),
    root: readHex(row[3]),
    parts: readBigint(row[4]),
    entries: readBigint(row[5]),
    sealedAt: readTime(row[6]),
    hash: readHex(row[7]),
  };
}

export const PART_COLUMNS =
  'seal, account_id, slot, first_seq, last_seq, balance, root, witness, previous_hash, hash';

export function readPartRow(row: Row): SealPartRow {
  return {
    seal: readBigint(row[0]),
    account: readText(row[1]),
    slot: readCount(row[2]),
    firstSeq: readBigint(row[3]),
    lastSeq: readBigint(row[4]),
    balance: readBigint(row[5]),
    root: readHex(row[6]),
    witness: readHex(row[7]),
    previousHash: readHex(row[8]),
    hash: readHex(row[9]),
  };
}
