import { describe, expect, it } from '@jest/globals';
import { FAULT_KINDS, SERVERS, planFaults } from './plan.js';
import type { PlannedFault } from './plan.js';

const times = { holdTimeoutMs: 15_000, leaseMs: 6_000 };
const SEVERAL_ROUNDS = 500;

function first(count: number, seed = 1): PlannedFault[] {
  const plan = planFaults(seed, times);
  return Array.from({ length: count }, () => plan.next().value);
}

describe('the plan of faults', () => {
  it('is the same for the same seed and another one for another', () => {
    expect(first(100)).toEqual(first(100));
    expect(first(100, 2)).not.toEqual(first(100));
  });

  it('holds every kind, and hits every server and every process in more than one way', () => {
    const faults = first(SEVERAL_ROUNDS);
    expect(new Set(faults.map((fault) => fault.kind))).toEqual(new Set(FAULT_KINDS));
    const kindsOn = (target: string): Set<string> =>
      new Set(faults.filter((fault) => fault.target === target).map((fault) => fault.kind));
    for (const server of SERVERS) expect(kindsOn(server).size).toBeGreaterThan(4);
    for (const one of ['ingress-1', 'relay-2', 'workers-1', 'projector-2', 'reconciler-1']) {
      expect(kindsOn(one).size).toBeGreaterThan(2);
    }
  });

  it.each([
    ['freeze past the lease', times.leaseMs, 10_000],
    ['freeze past the hold timeout', times.holdTimeoutMs, 20_000],
    ['freeze', 0, 3_001],
    ['half open', 0, 5_001],
  ] as const)('%s lasts longer than %i ms and less than %i', (kind, above, below) => {
    const lengths = first(SEVERAL_ROUNDS)
      .filter((fault) => fault.kind === kind)
      .map((fault) => fault.lengthMs);
    expect(Math.min(...lengths)).toBeGreaterThan(above);
    expect(Math.max(...lengths)).toBeLessThan(below);
  });

  it('measures kills alone, of every kind of process', () => {
    const alone = first(SEVERAL_ROUNDS).filter((fault) => fault.isAlone);
    expect(new Set(alone.map((fault) => fault.kind))).toEqual(new Set(['kill']));
    expect(new Set(alone.map((fault) => fault.target.split('-')[0])).size).toBe(5);
  });
});
