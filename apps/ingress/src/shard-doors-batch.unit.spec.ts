import { describe, expect, test } from '@jest/globals';
import type { Shard } from '@surety/db';
import { InvariantViolation, evenSlotMap } from '@surety/domain';
import { createMetrics } from '@surety/runtime';
import type { Doorbell } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import type { LoadRequest, RoutableStore, TransferRequest } from '@surety/saga';
import { MemoryShardStore, aTransferRequest, eur } from '@surety/testing';
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

function doorsOf(store: RoutableStore): ShardDoors {
  const map = evenSlotMap(1);
  return new ShardDoors({
    shards: [{ id: 0, store } as unknown as Shard],
    slotMaps: { current: () => map, reload: () => Promise.resolve(map) },
    admissions: new Admissions(() => 0),
    queueMax: 100,
    doorbell: SILENT,
    metrics: createMetrics('ingress'),
  });
}

/** The doors of one shard, whose first transactions end as `faults` say, and what each asked for. */
function doorsWith(faults: readonly (StoreError | undefined)[]) {
  const memory = new MemoryShardStore(0, () => Date.parse('2026-01-31T10:00:00Z'));
  const asked: [looked: number, presumed: number][] = [];
  const transact: RoutableStore['transact'] = async (load, decide) => {
    const fault = faults[asked.length];
    asked.push([load.keys?.length ?? 0, load.keysPresumedAbsent?.length ?? 0]);
    if (fault && !fault.outcomeUnknown) throw fault;
    const result = await memory.transact(load, decide);
    if (fault) throw fault;
    return result;
  };
  const store: RoutableStore = { shard: 0, transact, at: () => ({ shard: 0, transact }) };
  return { doors: doorsOf(store), memory, asked };
}

describe('keys that are presumed absent', () => {
  const presuming = REQUESTS.map((request) => ({ ...request, isKeyPresumedAbsent: true }));
  const [first] = presuming as [TransferRequest];
  const unacknowledged = new StoreError('environment', 'lost', { outcomeUnknown: true });

  test.each<[string, StoreError | undefined, [number, number][]]>([
    ['not looked for', undefined, [[0, 1]]],
    [
      'looked for after a commit that nobody acknowledged',
      unacknowledged,
      [
        [0, 1],
        [1, 0],
      ],
    ],
    [
      'looked for after a newer map',
      new StoreError('epoch', 'newer'),
      [
        [0, 1],
        [1, 0],
      ],
    ],
  ])('of a single request are %s', async (_, fault, expected) => {
    const { doors, memory, asked } = doorsWith([fault]);
    expect(await doors.requestTransfer(first)).toMatchObject({
      kind: 'accepted',
      transferId: first.transferId,
    });
    await doors.stop();
    expect(asked).toEqual(expected);
    expect(memory.rows.transfers.size).toBe(1);
  });

  test.each<[string, StoreError | undefined, [number, number][]]>([
    ['not looked for', undefined, [[0, 4]]],
    [
      'looked for after a commit that nobody acknowledged',
      unacknowledged,
      [
        [0, 4],
        [4, 0],
      ],
    ],
    [
      'looked for after a newer map',
      new StoreError('epoch', 'newer'),
      [
        [0, 4],
        [4, 0],
      ],
    ],
    [
      'looked for where its members go their own way',
      new StoreError('data', 'no'),
      [
        [0, 4],
        [4, 0],
      ],
    ],
  ])('of a batch are %s', async (_, fault, expected) => {
    const { doors, memory, asked } = doorsWith([fault]);
    const outcomes = await doors.requestTransfers(presuming);
    await doors.stop();
    expect(outcomes).toEqual(
      presuming.map(({ transferId }) => ({
        status: 'fulfilled',
        value: expect.objectContaining({ kind: 'accepted', transferId }),
      })),
    );
    expect(asked).toEqual(expected);
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
