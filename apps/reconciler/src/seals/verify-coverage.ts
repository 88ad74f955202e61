import {
  listLoneLegs,
  listPositionsWithoutAccount,
  listUnchainedParts,
  listUncountedLegs,
  listUnpostedEvents,
  listWrongPositions,
} from '@surety/db';
import type { Session, UncoveredLeg, UncoveredPage, UnpostedEvent } from '@surety/db';
import type { VerifyFindings } from './findings.js';
import { stepKey } from './soundness.js';

/** Accounts, legs or events read at a time. */
const PAGE_ACCOUNTS = 1_000;
const PAGE_ROWS = 20_000;

/** Where every account is sealed up to, against the parts that sealed it. @throws StoreError */
export async function verifyPositions(snapshot: Session, findings: VerifyFindings): Promise<void> {
  for (const wrong of await listWrongPositions(snapshot)) {
    const { account, entrySeq, seal, sealedSeq, sealedBy } = wrong;
    findings.add({
      kind: entrySeq === null ? 'removed' : 'altered',
      subject: 'position',
      ...{ account, entrySeq, seal: seal ?? sealedBy },
      problem: 'the account is not sealed up to where its position says',
      detail: {
        sealedSeq: sealedSeq?.toString() ?? null,
        sealedBy: sealedBy?.toString() ?? null,
      },
    });
  }
  for (const account of await listPositionsWithoutAccount(snapshot)) {
    const problem = 'entries are sealed and the account has no row';
    findings.add({ kind: 'removed', subject: 'account', account, problem });
  }
}

/** The parts of every account, one after the other without a gap. @throws StoreError */
export async function verifyPartChains(snapshot: Session, findings: VerifyFindings): Promise<void> {
  for (const { account, seal, firstSeq } of await listUnchainedParts(snapshot)) {
    findings.add({
      kind: 'altered',
      subject: 'part',
      ...{ account, seal, entrySeq: firstSeq },
      problem: 'does not go on from what was sealed of the account before',
    });
  }
}

/**
 * What neither a seal nor the way from there to the account's last number leads to: legs beyond it,
 * without a number, of nobody; steps without a customer's entry; events that posted nothing.
 * @throws StoreError
 */
export async function verifyCoverage(snapshot: Session, findings: VerifyFindings): Promise<void> {
  await eachPage(
    (after: string | undefined) => listUncountedLegs(snapshot, after, PAGE_ACCOUNTS),
    (leg) => {
      addLeg(findings, leg, 'no account counts this entry');
    },
  );
  let alone = '';
  await eachPage(
    (after: string | undefined) => listLoneLegs(snapshot, after, PAGE_ROWS),
    (leg) => {
      // Where the entry of the step is known to be gone, or has lost its number, that says it all.
      if (stepKey(leg) !== alone && findings.names(leg)) return;
      alone = stepKey(leg);
      addLeg(findings, leg, "its step has no customer's entry");
    },
  );
  await eachPage(
    (after: string | undefined) => listUnpostedEvents(snapshot, after, PAGE_ROWS),
    (event) => {
      if (!findings.names(event)) addUnposted(findings, event);
    },
  );
}

async function eachPage<Found, Position>(
  read: (after: Position | undefined) => Promise<UncoveredPage<Found, Position>>,
  take: (found: Found) => void,
): Promise<void> {
  let after: Position | undefined;
  do {
    const page = await read(after);
    page.found.forEach(take);
    after = page.next;
  } while (after !== undefined);
}

function addLeg(findings: VerifyFindings, leg: UncoveredLeg, problem: string): void {
  const { account, entrySeq, transferId, step, minor } = leg;
  findings.add({
    kind: 'inserted',
    subject: entrySeq === null ? 'leg' : 'entry',
    ...{ account, entrySeq, transferId, step, problem },
    detail: { leg: String(leg.leg), amount: minor.toString() },
  });
}

function addUnposted(findings: VerifyFindings, event: UnpostedEvent): void {
  const { transferId, step, type } = event;
  findings.add({
    kind: 'removed',
    subject: 'step',
    ...{ transferId, step },
    problem: `its event says ${type} and no entry was posted`,
  });
}
