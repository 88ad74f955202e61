/**
 * Submits transfers and follows each to its end, as a client would: one POST, then a GET that waits.
 *
 *   k6 run load/submit-and-poll.js
 *
 * BASE_URL     where the API is (http://127.0.0.1:8080)
 * VUS          callers at once, 1 to 200 (16)
 * DURATION_S   seconds, 1 to 600 (30)
 * ACCOUNTS     accounts it opens, 2 to 500 (40)
 * RUN          name of this run, part of its account ids and keys (random)
 * OTHER_HOST   `yes` allows a BASE_URL that is not this machine
 *
 * Passes when every transfer was committed and the accounts together hold what was paid in.
 */
import { check } from 'k6';
import { Rate, Trend } from 'k6/metrics';
import {
  CURRENCY,
  WAITS_MAX,
  decimal,
  follow,
  openAccounts,
  post,
  refuseOtherSettings,
  settled,
  submit,
  twoOf,
  wholeNumber,
} from './lib/surety.js';

const VUS = wholeNumber('VUS', { fallback: 16, minimum: 1, maximum: 200 });
const DURATION_S = wholeNumber('DURATION_S', { fallback: 30, minimum: 1, maximum: 600 });
const ACCOUNTS = wholeNumber('ACCOUNTS', { fallback: 40, minimum: 2, maximum: 500 });
refuseOtherSettings();
const AMOUNT_CENTS_MAX = 20_00;
/** One transfer in so many is sent twice. */
const REPLAY_EVERY = 20;

const transferEndMs = new Trend('transfer_end_ms', true);
const transfersCommitted = new Rate('transfers_committed');

export const options = {
  scenarios: {
    callers: {
      executor: 'constant-vus',
      vus: VUS,
      duration: `${DURATION_S}s`,
      // A transfer under way is followed to its end.
      gracefulStop: `${WAITS_MAX * 10}s`,
    },
  },
  setupTimeout: '120s',
  teardownTimeout: '120s',
  thresholds: {
    checks: ['rate==1'],
    transfers_committed: ['rate==1'],
    // Being turned away with 503 is an answer, not a fault; it is retried and counted beside.
    'http_req_failed{name:follow}': ['rate==0'],
    'http_req_duration{name:submit}': ['p(95)<2000'],
    // k6 takes what was never measured for kept: one transfer at least has to end.
    transfer_end_ms: ['p(95)<5000', 'p(99)<10000', 'max>0'],
  },
};

export function setup() {
  return openAccounts(ACCOUNTS);
}

export default function submitAndPoll({ run, accounts }) {
  const [sourceAccount, destinationAccount] = twoOf(accounts);
  const amount = decimal(1 + Math.floor(Math.random() * AMOUNT_CENTS_MAX));
  const body = { sourceAccount, destinationAccount, amount, currency: CURRENCY };
  const key = `${run}-${__VU}-${__ITER}`;

  const startedMs = Date.now();
  const submitted = submit(body, key);
  const isAccepted = check(submitted, {
    'accepted with 202': (response) => response.status === 202,
    'says where to look': (response) => Boolean(response.headers['Location']),
  });
  if (!isAccepted) {
    transfersCommitted.add(false);
    return;
  }
  if (__ITER % REPLAY_EVERY === 0) checkReplay(body, key, submitted);

  const end = follow(submitted.headers['Location']);
  transferEndMs.add(Date.now() - startedMs);
  transfersCommitted.add(end?.status === 'committed');
  check(end, {
    'ended as committed': (transfer) => transfer?.status === 'committed',
    'amount unchanged': (transfer) => transfer?.amount === amount,
    'timeline ends with committed': (transfer) => transfer?.timeline?.at(-1)?.event === 'committed',
  });
}

/** What went in is there, and no account still holds anything. */
export function teardown({ accounts }) {
  check(settled(accounts), {
    'nothing is held': ({ isNothingHeld }) => isNothingHeld,
    'the accounts together hold what was paid in': ({ holdsWhatWasPaidIn }) => holdsWhatWasPaidIn,
  });
}

function checkReplay(body, key, first) {
  const again = post('/transfers', body, key, 'submit');
  check(again, {
    'a replay says so': (response) => response.headers['Idempotency-Replayed'] === 'true',
    'a replay makes no second transfer': (response) =>
      response.json('transactionId') === first.json('transactionId'),
  });
}
