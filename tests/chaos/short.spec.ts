import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { reportOf } from './engine/report.js';
import { runChaos } from './engine/run.js';
import type { ChaosResult } from './engine/run.js';

/** Begins with a frozen relay, a full disk and a killed shard. */
const FIXED_SEED = 5;
const MINUTES = 0.6;
const FAULTS_PER_MINUTE = 22;
/** Twice the promise: here the machine is shared with whatever else is being tested. */
const GO_ON_WITHIN_MS = 20_000;

const fresh = Number(process.env['SURETY_TEST_SEED'] ?? Date.now() % 1_000_000);

describe('faults on real servers', () => {
  let result: ChaosResult | undefined;

  afterEach(() => {
    if (result?.violations.length === 0) rmSync(result.directory, { recursive: true });
    result = undefined;
  });

  it.each([
    ['a seed that stays', FIXED_SEED],
    ['a fresh seed', fresh],
  ])('of %s (%i): nothing acknowledged is lost, nothing happens twice', async (_, seed) => {
    result = await runChaos({
      ...{ seed, minutes: MINUTES, faultsPerMinute: FAULTS_PER_MINUTE, engine: 'mariadb' },
      goOnWithinMs: GO_ON_WITHIN_MS,
      say: (line) => process.stderr.write(`${line}\n`),
    });
    process.stderr.write(`\n${reportOf(result)}\n`);
    expect(result.violations).toEqual([]);
    expect(result.replay?.messages).toBeGreaterThan(0);
    expect(result.load.committed).toBeGreaterThan(0);
    expect(result.faults.filter((fault) => fault.error === undefined).length).toBeGreaterThan(0);
  });
});
