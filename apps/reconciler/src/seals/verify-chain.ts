import { listLostSeals, listSeals } from '@surety/db';
import type { SealRow, Session } from '@surety/db';
import { NO_HASH, hashSeal } from './encoding.js';
import { FINDINGS_MAX } from './findings.js';
import type { VerifyFindings } from './findings.js';

const PAGE_SEALS = 500;

/** A hash that somebody kept outside of the database: what the chain must still say. */
export interface SealAnchor {
  readonly seal: bigint;
  readonly hash: string;
}

export interface ChainOptions {
  readonly findings: VerifyFindings;
  /** The chain is followed from the seal after this one. */
  readonly after: bigint;
  readonly anchors?: readonly SealAnchor[];
}

/** The seals in their order, as far as they are there; what is wrong with the chain is found on the way. */
export async function* eachSeal(
  snapshot: Session,
  { findings, after, anchors = [] }: ChainOptions,
): AsyncGenerator<SealRow> {
  let previousHash = await hashOf(snapshot, after);
  let expected = after + 1n;
  for (;;) {
    const page = await listSeals(snapshot, expected - 1n, PAGE_SEALS);
    for (const seal of page) {
      for (; expected < seal.seal; expected += 1n) lost(findings, expected);
      compare(findings, seal, previousHash);
      compareAnchors(findings, seal, anchors);
      yield seal;
      previousHash = seal.hash;
      expected = seal.seal + 1n;
    }
    if (page.length < PAGE_SEALS) break;
  }
  for (const { seal } of anchors.filter((anchor) => anchor.seal >= expected)) lost(findings, seal);
}

async function hashOf(snapshot: Session, seal: bigint): Promise<string> {
  const [known] = seal > 0n ? await listSeals(snapshot, seal - 1n, 1) : [];
  return known?.seal === seal ? known.hash : NO_HASH;
}

/** Seals that only their parts or positions still speak of: those at the end leave no gap behind. */
export async function findLostSeals(snapshot: Session, findings: VerifyFindings): Promise<void> {
  const known = new Set(findings.list.flatMap((one) => (isLostSeal(one) ? one.seal : [])));
  for (const seal of await listLostSeals(snapshot, FINDINGS_MAX)) {
    if (!known.has(seal)) lost(findings, seal);
  }
}

function isLostSeal({ kind, subject }: { kind: string; subject: string }): boolean {
  return kind === 'removed' && subject === 'seal';
}

function lost(findings: VerifyFindings, seal: bigint): void {
  findings.add({ kind: 'removed', subject: 'seal', seal, problem: 'the seal is missing' });
}

function compare(findings: VerifyFindings, seal: SealRow, previousHash: string): void {
  const about = { kind: 'altered', subject: 'seal', seal: seal.seal } as const;
  if (hashSeal(seal) !== seal.hash) {
    findings.add({ ...about, problem: 'the seal does not come to its hash' });
  }
  if (seal.previousHash === previousHash) return;
  // After a gap nothing can be compared, and the gap is named already.
  if (findings.list.some((one) => isLostSeal(one) && one.seal === seal.seal - 1n)) return;
  findings.add({
    ...about,
    problem: 'the seal does not go on from the one before',
    detail: { previousHash: seal.previousHash, hashBefore: previousHash },
  });
}

function compareAnchors(
  findings: VerifyFindings,
  { seal, hash }: SealRow,
  anchors: readonly SealAnchor[],
): void {
  for (const anchor of anchors) {
    if (anchor.seal !== seal || anchor.hash === hash) continue;
    findings.add({
      kind: 'altered',
      subject: 'seal',
      seal,
      problem: 'the seal has another hash than was kept',
      detail: { hash, kept: anchor.hash },
    });
  }
}
