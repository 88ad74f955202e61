import type { VerifyFinding } from './findings.js';
import type { Fault } from './soundness.js';

type Nameable = Pick<VerifyFinding, 'problem' | 'detail'> &
  Partial<Pick<VerifyFinding, 'account' | 'entrySeq' | 'seal'>> & {
    readonly transferId?: string | null | undefined;
    readonly step?: number | null | undefined;
  };

/** `account ACC001 entry 3, transfer 0190… step 40`: as an operator would look it up. */
export function placeText(finding: Nameable | Fault): string {
  const { account, entrySeq, transferId, step, seal } = finding as Nameable;
  const entry = isGiven(entrySeq) ? ` entry ${entrySeq}` : '';
  const parts = [
    isGiven(account) ? `account ${account}${entry}` : '',
    isGiven(transferId) ? `transfer ${transferId} step ${step}` : '',
    isGiven(seal) ? `seal ${seal}` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** In one line: where, what, and the values. */
export function findingText(finding: Nameable | Fault): string {
  const values = Object.entries(finding.detail).map(
    ([name, value]) => `${name}=${value ?? 'none'}`,
  );
  const tail = values.length > 0 ? ` (${values.join(' ')})` : '';
  return `${placeText(finding)}: ${finding.problem}${tail}`;
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
