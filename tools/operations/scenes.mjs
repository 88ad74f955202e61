/** What an operator meets, in one order: each scene brings it about and runs the commands for it. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BECAUSE = '--operator ann --yes';
const DAY_MS = 86_400_000;
const ENDED = new Set(['committed', 'rejected', 'cancelled']);

/** @param {object} stage see operations-doc.mjs */
export async function playScenes(stage) {
  const { pools, accounts, close } = await prepare(stage);
  const play = { ...stage, pools, accounts };
  try {
    await ordinaryDay(play);
    await bankFile(play);
    await deadLetter(play);
    await withoutWorkers(play);
    await brokenRows(play);
    await alteredEntry(play);
    await stage.show('projections', `projections rebuild --reason "restore drill" ${BECAUSE}`);
    await stage.show('audit', 'audit list --limit 5');
  } finally {
    await close();
  }
}

/** A payer on the first shard, a payee on the second, and a shop. */
async function prepare({ http, system, load }) {
  const { openShards } = await load('db');
  const { slotOfAccount, shardOfSlot } = await load('packages', 'domain');
  const pools = openShards({ urls: system.shardUrls, poolSize: 2, partitions: 1 });
  await pools.ready();
  const on = (prefix, shard) => {
    for (let n = 1; ; n += 1) {
      const id = `${prefix}-${n}`;
      if (shardOfSlot(pools.slotMaps.current(), slotOfAccount(id)) === shard) return id;
    }
  };
  const last = pools.shards.length - 1;
  const accounts = { payer: on('alice', 0), payee: on('bob', last), shop: on('shop', last) };
  for (const accountId of Object.values(accounts)) {
    await post(http, '/accounts', { accountId, currency: 'EUR' });
    await post(http, `/accounts/${accountId}/funding`, { amount: '500.00', direction: 'deposit' });
  }
  return { pools, accounts, close: () => pools.close() };
}

async function post(http, path, body) {
  const answer = await fetch(`${http}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function request({ http, accounts }, amount) {
  const { payer: sourceAccount, payee: destinationAccount } = accounts;
  const body = { sourceAccount, destinationAccount, amount, currency: 'EUR' };
  return (await post(http, '/transfers', body)).transactionId;
}

async function ended(play, id) {
  const state = async () => {
    const { text } = await play.surety(`transfer show ${id} --json`);
    return JSON.parse(text).transfer.state;
  };
  await play.until(async () => ENDED.has(await state()), `transfer ${id} ends`);
}

async function ordinaryDay(play) {
  const { show, accounts } = play;
  const id = await request(play, '12.34');
  await ended(play, id);
  // The first seal and the first checks of the running reconciler.
  const isSeen = async () => !(await play.surety('status')).text.includes('never');
  await play.until(isSeen, 'the reconciler has checked', 180_000);
  await show('status', 'status');
  await show('transfer-show', `transfer show ${id}`);
  await show('accounts-show', `accounts show ${accounts.payer}`);
  await show('accounts-freeze', `accounts freeze ${accounts.shop} --dry-run`);
  await show('accounts-freeze', `accounts freeze ${accounts.shop} --reason "case 812" ${BECAUSE}`);
  await show('accounts-freeze', `accounts unfreeze ${accounts.shop} --reason "cleared" ${BECAUSE}`);
  await show('no-terminal', `accounts freeze ${accounts.shop} --reason "case 813"`);
  await show('check', 'check');
  await show('check-full', 'check --full');
  await sealed(play);
  await show('verify', 'verify');
}

/** Every entry that there is now is in a seal. */
async function sealed({ surety, until }) {
  const isSealed = async () => {
    const { shards } = JSON.parse((await surety('verify --json')).text);
    return shards.every(({ head, unsealedEntries }) => head !== null && unsealedEntries === '0');
  };
  await until(isSealed, 'every entry is sealed', 120_000);
}

/** A bank's file that agrees on one transfer, differs on another and knows one that nobody made. */
async function bankFile(play) {
  const { accounts, folder, show } = play;
  const ids = [await request(play, '25.00'), await request(play, '7.50')];
  for (const id of ids) await ended(play, id);
  const [matched, differing] = ids;
  const lines = ['id,amount', `${matched},-25.00`, `${differing},-7.05`, `${randomUUID()},-3.00`];
  writeFileSync(join(folder, 'bank.csv'), `${lines.join('\n')}\n`);
  const day = (ms) => new Date(ms).toISOString().slice(0, 10);
  const rules = {
    file: { columns: { key: 'id', amount: 'amount' }, currency: 'EUR' },
    transfers: {
      ...{ account: accounts.payer, direction: 'out' },
      ...{ from: day(Date.now() - DAY_MS), to: day(Date.now() + DAY_MS) },
    },
    match: { by: 'transferId' },
  };
  writeFileSync(join(folder, 'rules.json'), JSON.stringify(rules));
  await show('external', 'external match bank.csv --rules rules.json');
}

/** A message that nobody can read, on a topic that the workers read. */
async function deadLetter({ system, load, show, surety, until }) {
  const { createPublisher, createLogger } = await load('packages', 'runtime');
  const { TOPIC_NAMES } = await load('packages', 'contracts');
  const log = createLogger({ process: 'operations', instance: 'operations', level: 'error' });
  const publisher = await createPublisher({
    ...{ brokers: system.kafkaBrokers, clientId: 'operations', log },
  });
  await publisher.publish([
    { topic: TOPIC_NAMES[0], partition: 0, value: 'not an array of events' },
  ]);
  await publisher.close();
  const letters = async () => JSON.parse((await surety('dlq list --json')).text);
  await until(async () => (await letters()).length > 0, 'a dead letter is kept');
  const [{ letter }] = await letters();
  const name = letter.slice(0, 12);
  await show('dlq', 'dlq list');
  await show('dlq', `dlq show ${name}`);
  await show('dlq', `dlq replay ${name} --dry-run`);
  await show('dlq', `dlq replay ${name} --reason "workers were upgraded" ${BECAUSE}`);
  // Its cause is not gone: the workers give it up again.
  const isBack = async () => (await letters()).some(({ occurrences }) => occurrences > 1);
  await until(isBack, 'the dead letter is back', 120_000);
  await show('dlq', 'dlq list');
  await show('dlq', `dlq discard ${name} --reason "a test message" ${BECAUSE}`);
}

/** The workers are stopped: transfers stand where the last step left them. */
async function withoutWorkers(play) {
  const { system, load, pools, accounts, show, until } = play;
  const { readEnvelope } = await load('packages', 'contracts');
  const { applySteps } = await load('packages', 'saga');
  const { readTimeline } = await load('db');
  const { pid } = system.processes.workers;
  process.kill(pid, 'SIGSTOP');
  try {
    const [held, credited, requested] = [
      await request(play, '20.00'),
      await request(play, '30.00'),
      await request(play, '40.00'),
    ];
    const [source] = pools.shards;
    const destination = pools.shards.at(-1);
    const step = async (shard, id, from, at) => {
      const event = (await readTimeline(shard, id)).find((row) => row.step === from);
      await applySteps(at.store, [readEnvelope(event.envelope)], {
        ...{ holdTimeoutMs: 1_800_000, actor: 'saga' },
      });
    };
    await step(source, held, 10, source);
    await step(source, credited, 10, source);
    await step(source, credited, 20, destination);
    await show('status-trouble', 'status');
    await show('holds-list', 'holds list');
    await show('holds-release', `holds release ${held} --reason "wrong payee" ${BECAUSE}`);
    await show('holds-release', `holds release ${credited} --dry-run`);
    await show(
      'transfer-retry',
      `transfer retry ${credited} --reason "workers stopped" ${BECAUSE}`,
    );
    await show(
      'transfer-cancel',
      `transfer cancel ${requested} --reason "asked by phone" ${BECAUSE}`,
    );
    await show(
      'transfer-cancel',
      `transfer cancel ${credited} --reason "asked by phone" ${BECAUSE}`,
    );
    await show('reconcile-dry', 'reconcile run --dry-run');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const drained = async () => !(await play.surety('status')).text.includes('away');
  await until(drained, 'the workers answer again', 120_000);
  await ended(play, await request({ ...play, accounts }, '1.00'));
}

/** A balance and a hold total that somebody has changed by hand. */
async function brokenRows({ pools, accounts, show, surety }) {
  const [source] = pools.shards;
  await source.send([`UPDATE accounts SET balance = balance + 100 WHERE id = '${accounts.payer}'`]);
  await show('broken', 'check --full --only balances');
  await show('broken', 'reconcile run --full --dry-run');
  await show('broken', `reconcile run --full --reason "row changed by hand" ${BECAUSE}`);
  const { code } = await surety('check --full --only balances');
  if (code === 0) {
    await show('broken', 'check --full --only balances');
  } else {
    // A later scene must not be told of what this one has left behind.
    await source.send([
      `UPDATE accounts SET balance = balance - 100 WHERE id = '${accounts.payer}'`,
    ]);
  }
  await show('reconcile-report', 'reconcile report');
}

/** A sealed entry that somebody has changed by hand, until a person puts it back. */
async function alteredEntry(play) {
  const { pools, accounts, show, surety } = play;
  const [source] = pools.shards;
  const change = (sign) =>
    source.send([
      `UPDATE ledger_entries SET amount = amount ${sign} 100 ` +
        `WHERE account_id = '${accounts.payer}' AND entry_seq = 2`,
    ]);
  await sealed(play);
  await change('-');
  try {
    await show('verify-altered', 'verify');
    await show('altered', `reconcile run --full --reason "verify found a row" ${BECAUSE}`);
  } finally {
    await change('+');
  }
  await show('verify-put-back', 'verify');
  // A later scene must not be told of what this one has left behind.
  const { code, text } = await surety('check --full');
  if (code !== 0) throw new Error(`the row that was put back is still wrong: ${text}`);
}
