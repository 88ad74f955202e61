import { describe, expect, test } from '@jest/globals';
import { evenSlotMap } from '@surety/domain';
import { createMetrics } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import type { LoadRequest, ShardStore, TransferRequest } from '@surety/saga';
import { MemoryShardStore, aTransferRequest, anAccount, eur } from '@surety/testing';
import { BundleWrites } from './bundle-writes.js';

const MAP = evenSlotMap(1);
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => ({
  ...aTransferRequest({ n, source: 'payer', destination: 'payee', amount: eur(n) }),
  isKeyPresumedAbsent: true,
})) as [TransferRequest, TransferRequest, TransferRequest];

/** Writes to one shard whose first transactions end with these faults, on a clock that stands. */
function scene(...faults: StoreError[]) {
  const memory = new MemoryShardStore(0, () => Date.parse('2026-01-31T10:00:00Z'));
  for (const id of ['payer', 'payee']) memory.rows.accounts.set(id, anAccount(id, RICH));
  const loads: LoadRequest[] = [];
  const store: ShardStore = {
    shard: 0,
    transact: async (load, decide) => {
      loads.push(load);
      const fault = faults.shift();
      if (fault && !fault.outcomeUnknown) throw fault;
      const result = await memory.transact(load, decide);
      if (fault) throw fault;
      return result;
    },
  };
  const time = { nowMs: 0 };
  const metrics = createMetrics('ingress');
  const writes = new BundleWrites({
    ...{ holdTimeoutMs: 60_000, metrics, log: undefined },
    clock: { nowMs: () => time.nowMs } as Clock,
  });
  const stateOf = (request: TransferRequest): string | undefined =>
    memory.rows.transfers.get(request.transferId)?.state;
  const write = (request: TransferRequest) => writes.write(store, [[request]], MAP);
  const leftOut = async (): Promise<number> => {
    const { values } = await metrics.errorsTotal.get();
    const one = values.find(({ labels }) => labels.kind === 'batch_without_steps');
    return one?.value ?? 0;
  };
  return { write, loads, time, stateOf, leftOut, memory };
}

const RICH = { balance: 1_000n };
const KEPT = new StoreError('environment', 'somebody keeps the rows', { refused: true });

describe('bundles', () => {
  test('have their steps taken with them, and each its own results', async () => {
    const { memory, stateOf } = scene();
    const metrics = createMetrics('ingress');
    const writes = new BundleWrites({ holdTimeoutMs: 60_000, metrics, log: undefined });
    const results = await writes.write(memory, [[FIRST, SECOND], [THIRD]], MAP);
    expect(
      results.map((bundle) => bundle.map((one) => 'transferId' in one && one.transferId)),
    ).toEqual([[FIRST.transferId, SECOND.transferId], [THIRD.transferId]]);
    expect([FIRST, SECOND, THIRD].map(stateOf)).toEqual(['committed', 'committed', 'committed']);
  });

  test.each([
    ['somebody keeps the accounts', KEPT],
    ['a step cannot be stored', new StoreError('data', 'no')],
  ])('are stored without steps where %s', async (_, fault) => {
    const { write, loads, stateOf, leftOut } = scene(fault);
    expect(await write(FIRST)).toMatchObject([
      [{ kind: 'accepted', transferId: FIRST.transferId }],
    ]);
    expect(stateOf(FIRST)).toBe('requested');
    expect(loads).toEqual([
      {
        ...{ keys: [], keysPresumedAbsent: [FIRST.key], isImpatient: true },
        accounts: ['payer', 'payee'],
      },
      { keys: [], keysPresumedAbsent: [FIRST.key] },
    ]);
    expect(await leftOut()).toBe(1);
  });

  test('go without steps for a while then: one account that is kept holds up no other batch', async () => {
    const { write, loads, time, stateOf, leftOut } = scene(KEPT);
    await write(FIRST);
    time.nowMs = 9_999;
    await write(SECOND);
    time.nowMs = 10_000;
    await write(THIRD);
    expect([FIRST, SECOND, THIRD].map(stateOf)).toEqual(['requested', 'requested', 'committed']);
    expect([loads.length, await leftOut()]).toEqual([4, 1]);
  });

  test('that cannot be stored at all keep no other from its steps', async () => {
    const no = new StoreError('data', 'no');
    const { write, stateOf, leftOut } = scene(no, no);
    await expect(write(FIRST)).rejects.toBe(no);
    await write(SECOND);
    expect([stateOf(SECOND), await leftOut()]).toEqual(['committed', 0]);
  });

  test('take no step a second time where nobody acknowledged the first', async () => {
    const lost = new StoreError('environment', 'lost', { outcomeUnknown: true });
    const { write, memory, stateOf } = scene(lost);
    await expect(write(FIRST)).rejects.toBe(lost);
    const before = structuredClone(memory.rows);
    expect(await write(FIRST)).toMatchObject([[{ kind: 'accepted' }]]);
    expect(memory.rows).toEqual(before);
    expect(stateOf(FIRST)).toBe('committed');
  });

  test.each([
    ['the shard is away', new StoreError('environment', 'away')],
    ['its map is newer', new StoreError('epoch', 'newer')],
  ])('fail where %s', async (_, fault) => {
    const { write, loads, leftOut } = scene(fault);
    await expect(write(FIRST)).rejects.toBe(fault);
    expect([loads.length, await leftOut()]).toEqual([1, 0]);
  });
});
