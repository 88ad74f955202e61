import { stepLegMismatches, unbalancedSteps } from '@surety/db';
import type { StepLegMismatch } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

const PROBLEMS: Readonly<Record<StepLegMismatch['what'], string>> = {
  missing: 'has not the leg that its step made',
  unexpected: 'has legs that none of its steps made',
  number: 'has another number of legs than its step made',
};

export const stepLegs: Check = {
  name: 'step-legs',
  promise: 'Every step has the legs that it made, and they sum to zero.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('ledger_entries');
    await onEveryShard(scope, async (snapshot) => {
      for (const { transferId, step, sumMinor } of await unbalancedSteps(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `transfer ${transferId} step ${step}`,
          problem: 'legs do not sum to zero',
          detail: { sum: sumMinor.toString() },
        });
      }
      for (const { transferId, step, what } of await stepLegMismatches(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `transfer ${transferId}`,
          problem: PROBLEMS[what],
          detail: { step },
        });
      }
    });
  },
};
