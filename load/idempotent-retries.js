/**
 * Clients that repeat themselves: every transfer is sent several times, two of them at the same
 * moment, sometimes with another body under the same key. One key is one transfer, whatever happens.
 *
 *   k6 run load/idempotent-retries.js
 *
 * BASE_URL, RUN, OTHER_HOST as in submit-and-poll.js
 * VUS          callers at once, 1 to 200 (16)
 * DURATION_S   seconds, 1 to 600 (30)
 * REPEATS      how often each transfer is sent, 2 to 20 (5)
 *
 * Passes when all answers to a key name one transfer, another body under the key is a 422, and each
 * account moved exactly once per key.
 */
import { check } from 'k6';
import http from 'k6/http';
import {
  BASE_URL,
  CURRENCY,
  follow,
  openAccounts,
  post,
  refuseOtherSettings,
  settled,
  submit,
  wholeNumber,
} from './lib/surety.js';

const VUS = wholeNumber('VUS', { fallback: 16, minimum: 1, maximum: 200 });
const DURATION_S = wholeNumber('DURATION_S', { fallback: 30, minimum: 1, maximum: 600 });
const REPEATS = wholeNumber('REPEATS', { fallback: 5, minimum: 2, maximum: 20 });
refuseOtherSettings();
/** A caller has two accounts of its own, so that it knows what each must hold in the end. */
const ACCOUNTS_PER_CALLER = 2;

export const options = {
  scenarios: {
    callers: {
      executor: 'constant-vus',
      vus: VUS,
      duration: `${DURATION_S}s`,
      gracefulStop: '60s',
    },
  },
  setupTimeout: '240s',
  teardownTimeout: '120s',
  thresholds: {
    checks: ['rate==1'],
    // The sums alone hold where no transfer came so far as to be checked.
    'http_req_duration{name:follow}': ['max>0'],
  },
};

export function setup() {
  return openAccounts(VUS * ACCOUNTS_PER_CALLER);
}

export default function retries({ run, accounts }) {
  const caller = (__VU - 1) % VUS;
  const pair = accounts.slice(caller * 2, caller * 2 + 2);
  const [sourceAccount, destinationAccount] = __ITER % 2 === 0 ? pair : [pair[1], pair[0]];
  const body = { sourceAccount, destinationAccount, amount: '1.00', currency: CURRENCY };
  const key = `${run}-${__VU}-${__ITER}`;
  const ids = [...sendTwiceAtOnce(body, key)];
  while (ids.length < REPEATS) ids.push(submit(body, key).json('transactionId'));
  const known = ids.filter((id) => id !== undefined && id !== null);
  check(known, {
    'all answers name one transfer': (all) => all.length > 0 && new Set(all).size === 1,
  });
  const other = post('/transfers', { ...body, amount: '2.00' }, key, 'other');
  check(other, { 'another body under the key is refused': ({ status }) => status === 422 });
  const end = follow(`/api/v1/transfers/${known[0]}`);
  check(end, { 'ended as committed': (transfer) => transfer?.status === 'committed' });
}

/** Ids of those that were taken: one that was turned away says nothing. */
function sendTwiceAtOnce(body, key) {
  const request = {
    method: 'POST',
    url: `${BASE_URL}/api/v1/transfers`,
    body: JSON.stringify(body),
    params: {
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      tags: { name: 'submit' },
    },
  };
  return http
    .batch([request, request])
    .filter(({ status }) => status === 202)
    .map((response) => response.json('transactionId'));
}

/** Money only went to and fro between two accounts: whatever was doubled would show. */
export function teardown({ accounts }) {
  check(settled(accounts), {
    'nothing is held': ({ isNothingHeld }) => isNothingHeld,
    'the accounts together hold what was paid in': ({ holdsWhatWasPaidIn }) => holdsWhatWasPaidIn,
  });
}
