/**
 * Everybody pays one merchant, or one account pays everybody: the case in which ledgers that lock a
 * row per transfer stand in line.
 *
 *   k6 run load/hot-account.js
 *
 * BASE_URL, RUN, OTHER_HOST as in submit-and-poll.js
 * SIDE         `destination` (one receives) or `source` (one pays) (destination)
 * VUS          callers at once, 1 to 200 (32)
 * DURATION_S   seconds, 1 to 600 (30)
 * ACCOUNTS     accounts it opens, the hot one included, 2 to 500 (40)
 *
 * Passes when every transfer was committed, none waited longer than 10 s (p99), and the sums agree.
 */
import { check } from 'k6';
import { Rate, Trend } from 'k6/metrics';
import {
  CURRENCY,
  follow,
  openAccounts,
  oneOf,
  refuseOtherSettings,
  settled,
  submit,
  wholeNumber,
} from './lib/surety.js';

const VUS = wholeNumber('VUS', { fallback: 32, minimum: 1, maximum: 200 });
const DURATION_S = wholeNumber('DURATION_S', { fallback: 30, minimum: 1, maximum: 600 });
const ACCOUNTS = wholeNumber('ACCOUNTS', { fallback: 40, minimum: 2, maximum: 500 });
const SIDE = oneOf('SIDE', ['destination', 'source']);
refuseOtherSettings();

const transferEndMs = new Trend('transfer_end_ms', true);
const transfersCommitted = new Rate('transfers_committed');

export const options = {
  scenarios: {
    callers: {
      executor: 'constant-vus',
      vus: VUS,
      duration: `${DURATION_S}s`,
      gracefulStop: '60s',
    },
  },
  setupTimeout: '120s',
  teardownTimeout: '120s',
  thresholds: {
    checks: ['rate==1'],
    transfers_committed: ['rate==1'],
    // k6 takes what was never measured for kept: one transfer at least has to end.
    transfer_end_ms: ['p(95)<5000', 'p(99)<10000', 'max>0'],
  },
};

export function setup() {
  return openAccounts(ACCOUNTS);
}

export default function hotAccount({ run, accounts }) {
  const [hot, ...others] = accounts;
  const other = others[Math.floor(Math.random() * others.length)];
  const [sourceAccount, destinationAccount] = SIDE === 'source' ? [hot, other] : [other, hot];
  const body = { sourceAccount, destinationAccount, amount: '0.01', currency: CURRENCY };
  const startedMs = Date.now();
  const submitted = submit(body, `${run}-${__VU}-${__ITER}`);
  if (!check(submitted, { 'accepted with 202': ({ status }) => status === 202 })) {
    transfersCommitted.add(false);
    return;
  }
  const end = follow(submitted.headers['Location']);
  transferEndMs.add(Date.now() - startedMs);
  transfersCommitted.add(end?.status === 'committed');
}

export function teardown({ accounts }) {
  check(settled(accounts), {
    'nothing is held': ({ isNothingHeld }) => isNothingHeld,
    'the accounts together hold what was paid in': ({ holdsWhatWasPaidIn }) => holdsWhatWasPaidIn,
  });
}
