import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hasK6, runK6 } from './k6.js';
import { PretendedApi } from './pretended-api.js';
import type { Manner } from './pretended-api.js';

/** What k6 ends with where a threshold was crossed. */
const CROSSED = 99;
const FEW_CALLERS = { VUS: '2', DURATION_S: '1' };
const FEW = { ...FEW_CALLERS, ACCOUNTS: '4' };
const TEN_SECONDS = { RATE: '10', DURATION_S: '10', ACCOUNTS: '4' };
const SHORT_SPIKE = {
  ...{ CALM: '5', CALM_S: '1', SPIKE: '20', SPIKE_S: '1', RECOVERY_S: '1', ACCOUNTS: '4' },
};

type Case = readonly [string, string, Manner, Readonly<Record<string, string>>, readonly string[]];

const CASES: readonly Case[] = [
  ['submit-and-poll', 'is sound', {}, FEW, []],
  ['idempotent-retries', 'is sound', {}, FEW_CALLERS, []],
  [
    'submit-and-poll',
    'takes no transfer',
    { hangsUp: true },
    FEW,
    ['checks', 'transfer_end_ms', 'transfers_committed'],
  ],
  [
    'hot-account',
    'takes no transfer',
    { hangsUp: true },
    FEW,
    ['checks', 'transfer_end_ms', 'transfers_committed'],
  ],
  // No check comes to be made: the sums alone hold.
  [
    'idempotent-retries',
    'takes no transfer',
    { hangsUp: true },
    FEW_CALLERS,
    ['http_req_duration{name:follow}'],
  ],
  ['soak', 'takes no transfer', { hangsUp: true }, TEN_SECONDS, ['checks', 'transfer_end_ms']],
  [
    'submit-and-poll',
    'takes transfers slowly',
    { submitDelayMs: 2_100 },
    FEW,
    ['http_req_duration{name:submit}'],
  ],
  ['hot-account', 'ends transfers late', { endDelayMs: 5_100 }, FEW, ['transfer_end_ms']],
  [
    'spike',
    'is slow when calm',
    { submitDelayMs: 1_100 },
    SHORT_SPIKE,
    ['before', 'after'].map((phase) => `http_req_duration{phase:${phase},name:submit}`),
  ],
];

/** Each run is as short as its script allows. */
(hasK6() ? describe : describe.skip)('the thresholds of the load scripts', () => {
  let api: PretendedApi;
  let directory: string;

  beforeAll(async () => {
    api = await PretendedApi.start();
    directory = mkdtempSync(join(tmpdir(), 'surety-thresholds-'));
  });

  afterAll(async () => {
    await api.stop();
    rmSync(directory, { recursive: true });
  });

  test.each(CASES)('%s, towards an API that %s', async (script, _is, manner, settings, wanted) => {
    api.manner = manner;
    const environment = { ...settings, BASE_URL: api.url };
    const run = { script, settings: environment, directory, judgesThresholds: true };
    const { code, crossed } = await runK6(run);
    expect([code, ...crossed]).toEqual([wanted.length > 0 ? CROSSED : 0, ...[...wanted].sort()]);
  });
});
