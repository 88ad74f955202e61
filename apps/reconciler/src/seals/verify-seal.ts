import { listSealParts, readEntries } from '@surety/db';
import type { EntryRange, SealPartRow, SealRow, Session } from '@surety/db';
import type { VerifyFindings } from './findings.js';
import { MerkleTree } from './merkle-tree.js';
import { BATCH_ENTRIES_MAX, byAccount, entriesOf, rangeSize } from './read-batch.js';
import { PartVerification } from './verify-part.js';

/** Of any seal that was ever written: those of older versions are larger than the sealer's are now. */
const SEALED_ENTRIES_MAX = 20_000n;
/** No seal has more parts than entries. */
const PARTS_MAX = Number(SEALED_ENTRIES_MAX) + 1;

/**
 * Compares a seal with its parts, and them with the ledger.
 * @returns the number of entries that were compared
 * @throws StoreError
 */
export async function verifySeal(
  snapshot: Session,
  seal: SealRow,
  findings: VerifyFindings,
): Promise<bigint> {
  const parts = await listSealParts(snapshot, seal.seal, PARTS_MAX);
  const verifications = parts.map((part) => new PartVerification(part));
  compareRoot(seal, verifications, findings);
  let entries = 0n;
  for (const batch of batchesOf(verifications.flatMap(piecesOf))) {
    await verifyPieces(snapshot, batch, findings);
    entries += entriesOf(batch);
  }
  return entries;
}

function* batchesOf(pieces: readonly Piece[]): Generator<readonly Piece[]> {
  let batch: Piece[] = [];
  let size = 0n;
  for (const piece of pieces) {
    size += rangeSize(piece);
    if (batch.length > 0 && size > BATCH_ENTRIES_MAX) {
      yield batch;
      batch = [];
      size = rangeSize(piece);
    }
    batch.push(piece);
  }
  if (batch.length > 0) yield batch;
}

interface Piece extends EntryRange {
  readonly verification: PartVerification;
  readonly isLast: boolean;
}

/** No piece is larger than a batch, whatever an altered part claims to hold. */
function piecesOf(verification: PartVerification): Piece[] {
  const { account, firstSeq } = verification.part;
  const lastSeq = lastBounded(verification.part);
  const pieces: Piece[] = [];
  for (let from = firstSeq; from <= lastSeq; from += BATCH_ENTRIES_MAX) {
    const end = from + BATCH_ENTRIES_MAX - 1n;
    const isLast = end >= lastSeq;
    pieces.push({ verification, account, firstSeq: from, lastSeq: isLast ? lastSeq : end, isLast });
  }
  return pieces;
}

/** At least the first and at most as many as a seal can have. */
function lastBounded({ firstSeq, lastSeq }: SealPartRow): bigint {
  const bound = firstSeq + SEALED_ENTRIES_MAX - 1n;
  if (lastSeq < firstSeq) return firstSeq;
  return lastSeq < bound ? lastSeq : bound;
}

async function verifyPieces(
  snapshot: Session,
  pieces: readonly Piece[],
  findings: VerifyFindings,
): Promise<void> {
  const foundOf = byAccount(await readEntries(snapshot, pieces));
  for (const { verification, account, firstSeq, lastSeq, isLast } of pieces) {
    const { entries, crowded } = foundOf(account);
    const here = entries.filter(({ entrySeq }) => entrySeq >= firstSeq && entrySeq <= lastSeq);
    verification.take({ firstSeq, lastSeq }, { entries: here, crowded });
    if (isLast) verification.report(findings);
  }
}

function compareRoot(
  seal: SealRow,
  parts: readonly PartVerification[],
  findings: VerifyFindings,
): void {
  const tree = new MerkleTree();
  for (const { hash } of parts) tree.push(hash);
  const isComplete = BigInt(parts.length) === seal.parts;
  // A part that is named as altered explains another root.
  if (tree.root() === seal.root || (isComplete && parts.some(({ isAltered }) => isAltered))) return;
  const found = String(parts.length);
  findings.add({
    kind: isComplete ? 'altered' : BigInt(parts.length) < seal.parts ? 'removed' : 'inserted',
    subject: 'part',
    seal: seal.seal,
    problem: 'the parts of the seal do not come to its root',
    detail: { parts: seal.parts.toString(), found },
  });
}
