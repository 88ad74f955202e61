import { QueueFullError } from '@surety/runtime';
import { Problem } from '@surety/ingress';
import type { Answer, Exchange } from '@surety/ingress';
import { StoreError } from '@surety/saga';
import type { TransferId } from '@surety/domain';
import type { Life } from '@surety/testing/simulation';
import { NoAnswer } from './front-door.js';
import { causes } from './silence.js';
import type { Intent } from './intents.js';
import type { World } from './world.js';

const PAUSE_MS = { least: 50, most: 1_500 };
const CANCEL_AFTER_MS = { least: 0, most: 6_000 };
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Asks for each of its wishes until it has an answer. It remembers its wishes over a crash. */
export function client(world: World, intents: readonly Intent[]): (life: Life) => Promise<void> {
  return async (life) => {
    for (const intent of intents) {
      const waitMs = intent.afterMs - life.kernel.scheduler.nowMs;
      if (waitMs > 0) await life.sleep(waitMs);
      while (!intent.acknowledged) await attempt(world, life, intent);
      await afterwards(world, life, intent);
    }
    world.finishedClients.add(life.process.name);
  };
}

async function attempt(world: World, life: Life, intent: Intent): Promise<void> {
  const { faults, random } = world.kernel;
  intent.attempts += 1;
  const sums = [intent.minor];
  if (intent.isDoubled && intent.attempts === 1) {
    faults.count('concurrent_request');
    sums.push(intent.minor);
  }
  // The same key with another sum: one of the two is a conflict for ever.
  if (intent.rivalMinor !== undefined) {
    faults.count('other_body');
    sums.push(intent.rivalMinor);
  }
  await Promise.all(random.shuffled(sums).map((minor) => send(world, life, intent, minor)));
  if (!intent.acknowledged) await life.sleep(random.between(PAUSE_MS.least, PAUSE_MS.most));
}

/** A client that had its answer and lost it asks once more; one that changed its mind cancels. */
async function afterwards(world: World, life: Life, intent: Intent): Promise<void> {
  const { faults, random } = world.kernel;
  if (random.chance(0.1)) await send(world, life, intent, intent.minor);
  if (random.chance(0.05)) {
    faults.count('other_body');
    await send(world, life, intent, intent.minor + 1);
  }
  for (; intent.cancels > 0; intent.cancels -= 1) {
    const afterMs = random.between(CANCEL_AFTER_MS.least, CANCEL_AFTER_MS.most);
    await life.sleep(random.chance(0.5) ? 0 : afterMs);
    faults.count('cancel');
    await cancel(world, life, intent);
  }
}

async function send(world: World, life: Life, intent: Intent, minor: number): Promise<void> {
  const path = intent.kind === 'deposit' ? 'postFunding' : 'postTransfer';
  const exchange = exchangeOf(world, intent, minor);
  try {
    const answer = await world.front.call(life, (api) => api[path](exchange));
    world.checks.acknowledged(intent, idOf(answer), minor);
  } catch (error) {
    if (error instanceof Problem) world.checks.refused(intent, minor, error.code);
    else if (!isEnvironment(error)) world.broken(`${life.process.name} met ${causes(error)}`);
  }
}

async function cancel(world: World, life: Life, intent: Intent): Promise<void> {
  const id = intent.acknowledged;
  if (!id || intent.kind === 'deposit') return;
  try {
    const result = await world.front.call(life, (api) => api.cancel(id));
    world.checks.cancelAnswered(id, result);
  } catch (error) {
    if (!isEnvironment(error)) world.broken(`${life.process.name} met ${causes(error)}`, [id]);
  }
}

function isEnvironment(error: unknown): boolean {
  if (error instanceof NoAnswer || error instanceof QueueFullError) return true;
  if (error instanceof Error && error.name === 'ShardUnavailable') return true;
  return error instanceof StoreError && error.kind === 'environment';
}

function idOf({ body }: Answer): TransferId {
  return (JSON.parse(body) as { transactionId: TransferId }).transactionId;
}

/** A request as the router hands it to a handler. */
function exchangeOf(world: World, intent: Intent, minor: number): Exchange {
  const { source, destination, kind, n, attempts } = intent;
  const money = { amount: (minor / 100).toFixed(2), currency: 'EUR' };
  const body =
    kind === 'deposit'
      ? { direction: 'deposit', ...money }
      : { sourceAccount: source, destinationAccount: destination, ...money };
  const bytes = Buffer.from(JSON.stringify(body));
  const key = world.has('retry_under_a_new_key') ? `key-${n}-${attempts}` : `key-${n}`;
  const headers: [string, string][] = [
    ['content-type', 'application/json'],
    ['idempotency-key', key],
  ];
  const request = {
    headers: Object.fromEntries(headers),
    rawHeaders: headers.flat(),
    params: { id: source },
    query: {},
    on: (event: string, listener: (chunk: Buffer) => void) => {
      if (event === 'data') listener(bytes);
    },
    once: (event: string, listener: () => void) => {
      if (event === 'end') listener();
    },
  };
  const exchange = {
    request,
    response: undefined,
    traceparent: TRACEPARENT,
    set transferId(id: TransferId) {
      intent.tried.add(id);
      world.intentOf.set(id, intent);
    },
  };
  return exchange as unknown as Exchange;
}
