/** Demo accounts with money, and one transfer between two shards whose life is printed. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ACCOUNTS = 100;
const CURRENCY = 'EUR';
const OPENING_BALANCE = '1000.00';
const AMOUNT = '12.34';
const AT_ONCE = 16;
const ANSWER_DEADLINE_MS = 15_000;
const TRANSFER_DEADLINE_MS = 60_000;
const POLL_MS = 50;
const ENDED = new Set(['committed', 'rejected', 'cancelled']);

const accountIds = Array.from(
  { length: ACCOUNTS },
  (_, index) => `ACC${String(index + 1).padStart(3, '0')}`,
);

/** Opens and funds what is not there yet: the same keys at every start, so money comes once. */
export async function openDemoAccounts(baseUrl) {
  const waiting = [...accountIds];
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const headers = { 'Idempotency-Key': `demo-account-${id}` };
      const account = { accountId: id, currency: CURRENCY };
      await call(`${baseUrl}/accounts`, { body: account, headers, alsoFine: [409] });
      await call(`${baseUrl}/accounts/${id}/funding`, {
        body: { amount: OPENING_BALANCE, direction: 'deposit' },
        headers: { 'Idempotency-Key': `demo-funding-${id}` },
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/**
 * Two accounts that live on different shards, or any two where there is one shard.
 * @param {string} root @param {number} shardCount
 */
export async function pickAccounts(root, shardCount) {
  const domain = join(root, 'packages', 'domain', 'dist', 'index.js');
  const { evenSlotMap, shardOfSlot, slotOfAccount } = await import(pathToFileURL(domain).href);
  const map = evenSlotMap(shardCount);
  const shardOf = (id) => shardOfSlot(map, slotOfAccount(id));
  const [source] = accountIds;
  const elsewhere = accountIds.find((id) => shardOf(id) !== shardOf(source));
  const destination = elsewhere ?? accountIds[1];
  return { source, destination, sourceShard: shardOf(source), toShard: shardOf(destination) };
}

/**
 * From the richer to the poorer of the two: the money goes to and fro from start to start, and the
 * demo works however much of it somebody has spent.
 */
export async function facing(baseUrl, accounts) {
  const { source, destination, sourceShard, toShard } = accounts;
  const [here, there] = await Promise.all(
    [source, destination].map((id) => call(`${baseUrl}/accounts/${id}/balance`, {})),
  );
  if (minorOf(here.available) >= minorOf(there.available)) return accounts;
  return { source: destination, destination: source, sourceShard: toShard, toShard: sourceShard };
}

/** Both are in the same currency, with as many decimals. */
function minorOf(decimal) {
  return BigInt(decimal.replace('.', ''));
}

/**
 * Submits the transfer and prints each step of it as it happens.
 * @param {string} baseUrl @param {{ source: string, destination: string }} accounts
 * @param {(line: string) => void} log
 * @returns {Promise<string>} the transfer's id
 */
export async function runDemoTransfer(baseUrl, { source, destination }, log) {
  const submitted = await call(`${baseUrl}/transfers`, {
    body: {
      sourceAccount: source,
      destinationAccount: destination,
      amount: AMOUNT,
      currency: CURRENCY,
    },
    headers: { 'Idempotency-Key': `demo-${randomUUID()}` },
  });
  const id = submitted.transactionId;
  const until = Date.now() + TRANSFER_DEADLINE_MS;
  let printed = 0;
  for (;;) {
    const transfer = await call(`${baseUrl}/transfers/${id}`, {});
    const timeline = transfer.timeline ?? [];
    for (const entry of timeline.slice(printed)) log(timelineLine(entry, timeline[0]));
    printed = Math.max(printed, timeline.length);
    if (transfer.status === 'committed') return id;
    if (ENDED.has(transfer.status)) {
      throw new Error(`the demo transfer was ${transfer.status}: ${transfer.reason ?? ''}`);
    }
    if (Date.now() > until) throw new Error(`the demo transfer ${id} is still ${transfer.status}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Times are those of the shards' databases: relative to the request, in the order of the answer. */
export function timelineLine(entry, first) {
  const afterMs = Date.parse(entry.at) - Date.parse(first.at);
  const where = entry.shard === undefined ? '' : `shard ${entry.shard}`;
  const reason = entry.reason ? ` (${entry.reason})` : '';
  const event = `${entry.event ?? ''}${reason}`;
  return `${`+${afterMs} ms`.padStart(9)}  ${String(entry.step).padEnd(8)} ${where}  ${event}`;
}

async function call(url, { body, headers = {}, alsoFine = [] }) {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: body ? { 'Content-Type': 'application/json', ...headers } : headers,
    body: body ? JSON.stringify(body) : undefined,
    signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
  });
  const text = await response.text();
  if (!response.ok && !alsoFine.includes(response.status)) {
    throw new Error(`${body ? 'POST' : 'GET'} ${url} answered ${response.status}: ${text}`);
  }
  return text ? JSON.parse(text) : {};
}
