import { StoreError } from '@surety/saga';
import type { Link } from '../../connection/connection-pool.js';
import { failureOf } from '../../connection/driver-errors.js';
import { bytes, count, time, word } from '../../connection/literals.js';
import { storeError } from '../../connection/session.js';
import type { Shard } from '../../shard-pools.js';
import { LOCK_PLACEMENT, readPlacementRow } from '../transact/lock-placement.js';
import { chunksOf } from '../transact/shape.js';
import { PART_COLUMNS, SEAL_COLUMNS } from './seal-rows.js';
import type { SealPartRow, SealRow } from './seal-rows.js';

export interface NewSeal {
  /** Of the snapshot that was sealed: a slot that has moved since is not this shard's to seal. */
  readonly epoch: bigint;
  readonly seal: SealRow;
  readonly parts: readonly SealPartRow[];
}

/** Parts in one statement, and the bytes of them in one packet: far below max_allowed_packet. */
const PARTS_MAX = 500;

/**
 * Stores a seal with all its parts and moves the positions of their accounts, in one transaction.
 * Caller: sealer. Index: PRIMARY of the three tables. Locks: placement shared, then the new rows, then
 * the positions by ascending id; nobody but a sealer takes those. Rows: one seal, its parts, as many
 * positions.
 * @returns false where another sealer has stored a seal of this number: nothing was written
 * @throws StoreError; of kind epoch where the slot map has changed since the snapshot
 */
export async function insertSeal(shard: Shard, { epoch, seal, parts }: NewSeal): Promise<boolean> {
  try {
    await shard.pool.use(async (link) => {
      await begin(link, epoch);
      await link.send([insertHead(seal)]);
      for (const chunk of chunksOf(parts, PARTS_MAX)) {
        await link.send([insertParts(chunk), upsertPositions(chunk)]);
      }
      await link.send(['COMMIT']);
    });
    shard.pool.metrics?.commit();
    return true;
  } catch (error) {
    if (!(error instanceof StoreError) && failureOf(error).kind === 'duplicate') return false;
    throw storeError(error, `seal ${seal.seal} of shard ${shard.id}`);
  }
}

async function begin(link: Link, epoch: bigint): Promise<void> {
  const results = await link.send(['START TRANSACTION', LOCK_PLACEMENT]);
  const row = results[1]?.rows[0];
  const now = row && readPlacementRow(row).epoch;
  if (now === epoch) return;
  throw new StoreError('epoch', `sealed at epoch ${epoch}, the shard is at ${String(now)}`);
}

function insertHead(seal: SealRow): string {
  return (
    `INSERT INTO ledger_seals (${SEAL_COLUMNS}) VALUES (${seal.seal},${count(seal.shard)},` +
    `${bytes(seal.previousHash)},${bytes(seal.root)},${seal.parts},${seal.entries},` +
    `${time(seal.sealedAt)},${bytes(seal.hash)})`
  );
}

function insertParts(parts: readonly SealPartRow[]): string {
  const values = parts.map(
    (part) =>
      `(${part.seal},${word(part.account)},${count(part.slot)},${part.firstSeq},${part.lastSeq},` +
      `${part.balance},${bytes(part.root)},${bytes(part.witness)},${bytes(part.previousHash)},` +
      `${bytes(part.hash)})`,
  );
  return `INSERT INTO ledger_seal_parts (${PART_COLUMNS}) VALUES ${values.join(',')}`;
}

function upsertPositions(parts: readonly SealPartRow[]): string {
  const values = parts.map(
    (part) =>
      `(${word(part.account)},${count(part.slot)},${part.seal},${part.lastSeq},${part.balance},` +
      `${bytes(part.hash)})`,
  );
  return (
    'INSERT INTO ledger_seal_positions (account_id, slot, seal, entry_seq, balance, part_hash) ' +
    `VALUES ${values.join(',')} ON DUPLICATE KEY UPDATE seal = VALUES(seal), ` +
    'entry_seq = VALUES(entry_seq), balance = VALUES(balance), part_hash = VALUES(part_hash)'
  );
}
