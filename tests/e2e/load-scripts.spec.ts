import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SuretySystem } from '@surety/testing/system';
import { hasK6, runK6 } from './k6.js';

/** Short and gentle: whether a script works is asked here, not how fast the system is. */
const RUNS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['submit-and-poll', { VUS: '4', DURATION_S: '3', ACCOUNTS: '6' }],
  ['hot-account', { VUS: '4', DURATION_S: '3', ACCOUNTS: '4' }],
  ['idempotent-retries', { VUS: '3', DURATION_S: '3' }],
  ['spike', { CALM: '5', CALM_S: '1', SPIKE: '50', SPIKE_S: '2', RECOVERY_S: '1', ACCOUNTS: '4' }],
  ['soak', { RATE: '10', DURATION_S: '10', ACCOUNTS: '4' }],
];

(hasK6() ? describe : describe.skip)('the load scripts', () => {
  let system: SuretySystem;

  beforeAll(async () => {
    system = await SuretySystem.start();
  });

  afterAll(async () => {
    await system.stop();
  });

  test.each(RUNS)('%s runs to its end and every check holds', async (name, settings) => {
    const result = await runK6({
      script: name,
      settings: { ...settings, BASE_URL: system.httpUrl },
      directory: system.directory,
      // Those on time say something about the machine, checks about the system.
      judgesThresholds: false,
    });
    expect(result).toMatchObject({ code: 0, failedChecks: 0 });
    expect(result.passedChecks).toBeGreaterThan(0);
  });
});
