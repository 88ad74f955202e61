import { describe, expect, test } from '@jest/globals';
import type { Shard } from '@surety/db';
import { InvariantViolation, evenSlotMap } from '@surety/domain';
import { createMetrics } from '@surety/runtime';
import type { Doorbell } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import type { LoadRequest, RoutableStore, TransferRequest } from '@surety/saga';
import { MemoryShardStore, aTransferRequest, anAccount, eur } from '@surety/testing';
import { Admissions } from './admissions.js';
import { ShardDoors } from './shard-doors.js';

const SILENT: Doorbell = {
  ring: () => undefined,
  subscribe: () => Promise.resolve(() => undefined),
  close: () => Promise.resolve(),
};
const REQUESTS = [1, 2, 3, 4].map((n) =>
  aTransferRequest({ n, source: 'payer', destination: 'payee', amount: eur(n) }),
);
const CULPRIT = REQUESTS[2] as TransferRequest;

/** The doors of one shard, whose store throws `error` at every group that has the culprit in it. */
function doorsOver(error: Error): { doors: ShardDoors; memory: MemoryShardStore } {
  const memory = new MemoryShardStore(0, () => Date.parse('2026-01-31T10:00:00Z'));
  const isPoisoned = ({ keys = [] }: LoadRequest): boolean =>
    keys.some(({ keyHash }) => keyHash === CULPRIT.key.keyHash);
  const transact: RoutableStore['transact'] = (load, decide) =>
    isPoisoned(load) ? Promise.reject(error) : memory.transact(load, decide);
  const store: RoutableStore = { shard: 0, transact, at: () => ({ shard: 0, transact }) };
  return { doors: doorsOf(store), memory };
}

function doorsOf(store: RoutableStore, holdTimeoutMs?: number): ShardDoors {
  const map = evenSlotMap(1);
  return new ShardDoors({
    shards: [{ id: 0, store } as unknown as Shard],
    slotMaps: { current: () => map, reload: () => Promise.resolve(map) },
    admissions: new Admissions(() => 0),
    queueMax: 100,
    doorbell: SILENT,
    metrics: createMetrics('ingress'),
    ...(holdTimeoutMs === undefined ? {} : { holdTimeoutMs }),
  });
}

/** The doors of one shard, whose first transaction ends with this fault, and the loads of each. */
function doorsWith(fault: StoreError | undefined) {
  const memory = new MemoryShardStore(0, () => Date.parse('2026-01-31T10:00:00Z'));
  const loads: LoadRequest[] = [];
  const transact: RoutableStore['transact'] = async (load, decide) => {
    const failing = loads.length === 0 ? fault : undefined;
    loads.push(load);
    if (failing && !failing.outcomeUnknown) throw failing;
    const result = await memory.transact(load, decide);
    if (failing) throw failing;
    return result;
  };
  const store: RoutableStore = { shard: 0, transact, at: () => ({ shard: 0, transact }) };
  return { doors: doorsOf(store), memory, loads };
}

describe('keys that are presumed absent', () => {
  const presuming = REQUESTS.map((request) => ({ ...request, isKeyPresumedAbsent: true }));
  const [first] = presuming as [TransferRequest];
  const unacknowledged = new StoreError('environment', 'lost', { outcomeUnknown: true });

  test('are not looked for', async () => {
    const { doors, loads } = doorsWith(undefined);
    await doors.requestTransfers(presuming);
    await doors.stop();
    expect(loads).toEqual([{ keys: [], keysPresumedAbsent: presuming.map(({ key }) => key) }]);
  });

  const faults: [string, StoreError][] = [
    ['after a commit that nobody acknowledged', unacknowledged],
    ['behind a newer map', new StoreError('epoch', 'newer')],
    ['where members go their own way', new StoreError('data', 'no')],
  ];

  test.each(faults.slice(0, 2))('are stored once %s: a single request', async (_, fault) => {
    const { doors, memory, loads } = doorsWith(fault);
    expect(await doors.requestTransfer(first)).toMatchObject({
      kind: 'accepted',
      transferId: first.transferId,
    });
    await doors.stop();
    expect(loads).toHaveLength(2);
    expect(memory.rows.transfers.size).toBe(1);
  });

  test.each(faults)('are stored once %s: a batch', async (_, fault) => {
    const { doors, memory, loads } = doorsWith(fault);
    const outcomes = await doors.requestTransfers(presuming);
    await doors.stop();
    expect(outcomes).toEqual(
      presuming.map(({ transferId }) => ({
        status: 'fulfilled',
        value: expect.objectContaining({ kind: 'accepted', transferId }),
      })),
    );
    expect(loads).toHaveLength(2);
    expect(memory.rows.transfers.size).toBe(4);
  });
});

describe('a batch with a member that cannot be stored', () => {
  test.each([
    ['for the sake of its data', new StoreError('data', 'no')],
    ['because a rule is broken', new InvariantViolation('no')],
  ])('%s has all its other members stored', async (_, error) => {
    const { doors, memory } = doorsOver(error);
    const outcomes = await doors.requestTransfers(REQUESTS);
    await doors.stop();
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    ]);
    expect(outcomes[2]).toMatchObject({ reason: error });
    expect(memory.rows.transfers.size).toBe(3);
  });

  test('because the shard is away is refused as a whole', async () => {
    const away = new StoreError('environment', 'away');
    const { doors, memory } = doorsOver(away);
    const outcomes = await doors.requestTransfers(REQUESTS);
    await doors.stop();
    expect(outcomes).toEqual(REQUESTS.map(() => ({ status: 'rejected', reason: away })));
    expect(memory.rows.transfers.size).toBe(0);
  });
});

describe('the steps that follow', () => {
  async function stateAfter(
    ask: (doors: ShardDoors, request: TransferRequest) => Promise<unknown>,
    holdTimeoutMs?: number,
  ): Promise<string | undefined> {
    const memory = new MemoryShardStore(0, () => Date.parse('2026-01-31T10:00:00Z'));
    for (const id of ['payer', 'payee']) memory.rows.accounts.set(id, anAccount(id, RICH));
    const doors = doorsOf(memory, holdTimeoutMs);
    const [request] = REQUESTS as [TransferRequest];
    await ask(doors, request);
    await doors.stop();
    return memory.rows.transfers.get(request.transferId)?.state;
  }
  const RICH = { balance: 1_000n };
  const inABatch = (doors: ShardDoors, request: TransferRequest): Promise<unknown> =>
    doors.requestTransfers([request]);
  const alone = (doors: ShardDoors, request: TransferRequest): Promise<unknown> =>
    doors.requestTransfer(request);

  test('are taken with a batch', async () => {
    expect(await stateAfter(inABatch, 60_000)).toBe('committed');
  });

  test('are left to workers where that is not wanted', async () => {
    expect(await stateAfter(inABatch)).toBe('requested');
  });

  test('of a single request are left to workers: its answer waits for nobody', async () => {
    expect(await stateAfter(alone, 60_000)).toBe('requested');
  });
});
