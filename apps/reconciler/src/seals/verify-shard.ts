import { readSealInstant, withGlobalSnapshot } from '@surety/db';
import type { Session, Shard, UnsealedAccount } from '@surety/db';
import type { Timestamp } from '@surety/contracts';
import type { ShardId } from '@surety/domain';
import { AT_ONCE } from '../give-way.js';
import { VerifyFindings } from './findings.js';
import type { VerifyFinding } from './findings.js';
import type { Fault } from './soundness.js';
import { UnsealedWalk } from './unsealed-walk.js';
import { eachSeal, findLostSeals } from './verify-chain.js';
import type { SealAnchor } from './verify-chain.js';
import { verifyCoverage, verifyPartChains, verifyPositions } from './verify-coverage.js';
import { verifySeal } from './verify-seal.js';

export interface ShardVerification {
  readonly shard: ShardId;
  /** Seals compared with the ledger, and the entries in them. */
  readonly seals: number;
  readonly entries: bigint;
  /** The last seal: up to when everything is sealed. null where nothing is. */
  readonly head: {
    readonly seal: bigint;
    readonly hash: string;
    readonly sealedAt: Timestamp;
  } | null;
  /** Committed since and not sealed yet; looked through for what a sealer would refuse. */
  readonly unsealedEntries: bigint;
  readonly findings: readonly VerifyFinding[];
  readonly findingsTotal: number;
  readonly ms: number;
}

export interface VerifyOptions {
  /** Only what was sealed after this seal is compared; chain and unsealed entries in any case. */
  readonly sinceSeal?: bigint;
  readonly anchors?: readonly SealAnchor[];
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly shard: ShardId;
  readonly seal: bigint;
  readonly lastSeal: bigint;
  readonly entries: bigint;
}

/**
 * Compares the ledger of one shard, as it is at one instant, with its seals, and looks for entries that
 * no seal and no account accounts for. Reads only.
 * @throws StoreError
 */
export function verifyShard(shard: Shard, options: VerifyOptions = {}): Promise<ShardVerification> {
  const beganAt = performance.now();
  return withGlobalSnapshot([shard], async (snapshots) => {
    const snapshot = snapshots[0] as Session;
    const findings = new VerifyFindings(shard.id);
    const { head } = await readSealInstant(snapshot);
    const compared = await verifySeals(snapshot, findings, { ...options, last: head?.seal ?? 0n });
    await findLostSeals(snapshot, findings);
    await verifyPositions(snapshot, findings);
    const unsealedEntries = await walkUnsealed(snapshot, findings);
    if (options.sinceSeal === undefined) {
      await verifyPartChains(snapshot, findings);
      await verifyCoverage(snapshot, findings);
    }
    return {
      shard: shard.id,
      ...compared,
      head: head ? { seal: head.seal, hash: head.hash, sealedAt: head.sealedAt } : null,
      unsealedEntries,
      findings: findings.list,
      findingsTotal: findings.total,
      ms: Math.round(performance.now() - beganAt),
    };
  });
}

async function verifySeals(
  snapshot: Session,
  findings: VerifyFindings,
  { sinceSeal = 0n, anchors = [], onProgress, last }: VerifyOptions & { readonly last: bigint },
): Promise<{ readonly seals: number; readonly entries: bigint }> {
  let seals = 0;
  let entries = 0n;
  for await (const seal of eachSeal(snapshot, { findings, after: 0n, anchors })) {
    if (seal.seal <= sinceSeal) continue;
    entries += await verifySeal(snapshot, seal, findings);
    seals += 1;
    onProgress?.({ shard: snapshot.id, seal: seal.seal, lastSeal: last, entries });
  }
  return { seals, entries };
}

/** Entries behind the last seal are held to what a sealer holds them to. */
async function walkUnsealed(snapshot: Session, findings: VerifyFindings): Promise<bigint> {
  let entries = 0n;
  await new UnsealedWalk(snapshot, {
    room: () => BigInt(Number.MAX_SAFE_INTEGER),
    sound: (pieces) => {
      for (const { firstSeq, lastSeq } of pieces) entries += lastSeq - firstSeq + 1n;
      return Promise.resolve();
    },
    unsound: (account, faults) => {
      for (const fault of faults) addFault(findings, account, fault);
    },
    giveWay: AT_ONCE,
    mayGoOn: () => true,
  }).run();
  return entries;
}

function addFault(findings: VerifyFindings, account: UnsealedAccount, fault: Fault): void {
  const { entrySeq, transferId = null, step = null, kind, problem, detail } = fault;
  const isSealed = account.sealed !== undefined && entrySeq <= account.sealed.entrySeq;
  findings.add({
    kind,
    subject: transferId === null && kind === 'altered' ? 'account' : 'entry',
    ...{ account: account.id, entrySeq, transferId, step, detail },
    problem: isSealed ? problem : `not sealed yet: ${problem}`,
  });
}
