/**
 * A steady rate for a long time: nothing may grow, slow down or get stuck.
 *
 *   k6 run load/soak.js
 *   RATE=500 DURATION_S=3600 k6 run load/soak.js
 *
 * BASE_URL, RUN, OTHER_HOST as in submit-and-poll.js
 * RATE         transfers a second, 1 to 5000 (100)
 * DURATION_S   seconds, 10 to 86400 (600)
 * ACCOUNTS     accounts it opens, 2 to 500 (200)
 *
 * One transfer in fifty is followed to its end. Passes when all are accepted, those followed are
 * committed within 5 s (p99), the last tenth of the time is as fast as the bound, and the sums agree.
 * A last tenth of fewer than 100 transfers may have none that is followed and is not judged apart.
 */
import { check } from 'k6';
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
import {
  CURRENCY,
  follow,
  openAccounts,
  refuseOtherSettings,
  settled,
  submit,
  twoOf,
  wholeNumber,
} from './lib/surety.js';

const RATE = wholeNumber('RATE', { fallback: 100, minimum: 1, maximum: 5_000 });
const DURATION_S = wholeNumber('DURATION_S', { fallback: 600, minimum: 10, maximum: 86_400 });
const ACCOUNTS = wholeNumber('ACCOUNTS', { fallback: 200, minimum: 2, maximum: 500 });
refuseOtherSettings();
const FOLLOW_EVERY = 50;
const LAST_TENTH_S = Math.round(DURATION_S * 0.9);
/** Twice as many as hold one that is followed: the first and last of them come when they can. */
const IS_LAST_TENTH_JUDGED = RATE * (DURATION_S - LAST_TENTH_S) >= 2 * FOLLOW_EVERY;

const transferEndMs = new Trend('transfer_end_ms', true);
const lateEndMs = new Trend('transfer_end_ms_last_tenth', true);

export const options = {
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: `${DURATION_S}s`,
      preAllocatedVUs: Math.min(500, Math.max(20, RATE)),
      maxVUs: 500,
      gracefulStop: '60s',
    },
  },
  setupTimeout: '120s',
  teardownTimeout: '120s',
  thresholds: {
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
    'http_req_duration{name:submit}': ['p(99)<2000'],
    // k6 takes what was never measured for kept: one transfer at least has to end.
    transfer_end_ms: ['p(99)<5000', 'max>0'],
    ...(IS_LAST_TENTH_JUDGED ? { transfer_end_ms_last_tenth: ['p(99)<5000', 'max>0'] } : {}),
  },
};

export function setup() {
  return { ...openAccounts(ACCOUNTS), startedMs: Date.now() };
}

export default function soak({ run, accounts, startedMs }) {
  const [sourceAccount, destinationAccount] = twoOf(accounts);
  const body = { sourceAccount, destinationAccount, amount: '0.01', currency: CURRENCY };
  const sentMs = Date.now();
  const submitted = submit(body, `${run}-${__VU}-${__ITER}`);
  if (!check(submitted, { 'accepted with 202': ({ status }) => status === 202 })) return;
  // Of all transfers, not of each caller's: callers take turns, and all would follow at once.
  if (exec.scenario.iterationInTest % FOLLOW_EVERY !== 0) return;
  const end = follow(submitted.headers['Location']);
  const tookMs = Date.now() - sentMs;
  transferEndMs.add(tookMs);
  if (sentMs - startedMs > LAST_TENTH_S * 1_000) lateEndMs.add(tookMs);
  check(end, { 'ended as committed': (transfer) => transfer?.status === 'committed' });
}

export function teardown({ accounts }) {
  check(settled(accounts), {
    'nothing is held': ({ isNothingHeld }) => isNothingHeld,
    'the accounts together hold what was paid in': ({ holdsWhatWasPaidIn }) => holdsWhatWasPaidIn,
  });
}
