import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@surety/contracts';
import { discardDeadLetter, replayDeadLetter } from '@surety/saga';
import { aTransferId } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Shard } from './shard-pools.js';
import { insertDeadLetter } from './statements/operations/insert-dead-letter.js';
import type { DeadLetterRow } from './statements/operations/insert-dead-letter.js';
import {
  countDeadLetters,
  findDeadLetters,
  listDeadLetters,
} from './statements/operations/list-dead-letters.js';
import { readOutbox } from './statements/relay/read-outbox.js';

let shards: TestShards;
let shard: Shard;

beforeAll(async () => {
  shards = await createTestShards();
  shard = shards.pools.shards[0]!;
});

afterAll(async () => {
  await shards?.drop();
});

beforeEach(async () => {
  await shard.send(['DELETE FROM dead_letters', 'DELETE FROM outbox', 'DELETE FROM audit_log']);
});

function aLetter(fields: Partial<DeadLetterRow> = {}): DeadLetterRow {
  return {
    ...{ consumer: 'workers', topic: TOPICS.toSource, partition: 4, offset: 7n, slot: 1_030 },
    ...{ eventId: `${aTransferId('x', 1)}/30`, payload: '[{"ä":"it\'s \\\\ 😀"}]', error: 'no' },
    ...fields,
  };
}

const by = { actor: 'operator:ada', reason: 'the account was renamed' };

async function only(): ReturnType<typeof listDeadLetters> {
  const letters = await listDeadLetters(shard, 10);
  expect(letters).toHaveLength(1);
  return letters;
}

describe('a message that was given up', () => {
  it('is one letter however often it is delivered, by however many at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => insertDeadLetter(shard, aLetter())));
    expect(await only()).toMatchObject([{ ...aLetter(), state: 'open', occurrences: 1 }]);
  });

  it('is one letter when it was sent again, counted, with its newest origin and error', async () => {
    await insertDeadLetter(shard, aLetter());
    await insertDeadLetter(shard, aLetter({ offset: 9n, error: 'still no' }));
    expect(await only()).toMatchObject([
      { ...aLetter({ offset: 9n, error: 'still no' }), occurrences: 2, state: 'open' },
    ]);
  });

  it.each([
    ['another payload', aLetter({ payload: '[]' })],
    ['another consumer', aLetter({ consumer: 'projector' })],
  ])('with %s is another letter, wherever it came from', async (_, other) => {
    await insertDeadLetter(shard, aLetter());
    await insertDeadLetter(shard, other);
    expect(await listDeadLetters(shard, 10)).toHaveLength(2);
    expect(await countDeadLetters(shard)).toEqual(new Map([['open', 2]]));
  });

  it('is found by the first digits of its name, and two of them are ambiguous', async () => {
    await insertDeadLetter(shard, aLetter());
    const { letter } = (await only())[0]!;
    expect(await findDeadLetters(shard, letter)).toHaveLength(1);
    expect(await findDeadLetters(shard, letter.slice(0, 11))).toHaveLength(1);
    expect(
      await findDeadLetters(shard, letter.slice(0, 63) + (letter.endsWith('0') ? '1' : '0')),
    ).toEqual([]);
    for (let n = 0; n < 32; n += 1) await insertDeadLetter(shard, aLetter({ payload: `[${n}]` }));
    const [first] = await listDeadLetters(shard, 1);
    expect((await findDeadLetters(shard, first!.letter.slice(0, 1))).length).toBeGreaterThan(0);
    await expect(findDeadLetters(shard, 'nonsense')).rejects.toMatchObject({ kind: 'data' });
  });
});

describe('an open letter', () => {
  it('is sent again with the same bytes, marked and written down in one transaction', async () => {
    await insertDeadLetter(shard, aLetter());
    const [letter] = await only();
    await replayDeadLetter(shard.store, letter!, by);
    expect(await only()).toMatchObject([
      { state: 'replayed', handledBy: 'operator:ada', handledReason: by.reason },
    ]);
    expect((await only())[0]!.handledAt).not.toBeNull();
    expect(await readOutbox(shard, 0n, 10)).toMatchObject([
      { topic: 'toSource', partition: 4, payload: aLetter().payload },
    ]);
    const [lines] = await shard.send(['SELECT actor, action, reason FROM audit_log']);
    expect(lines?.rows).toEqual([['operator:ada', 'dead_letter.replay', by.reason]]);
  });

  it('is put aside and kept', async () => {
    await insertDeadLetter(shard, aLetter());
    const [letter] = await only();
    await discardDeadLetter(shard.store, letter!, by);
    expect(await only()).toMatchObject([{ state: 'discarded', payload: aLetter().payload }]);
    expect(await readOutbox(shard, 0n, 10)).toEqual([]);
    expect(await listDeadLetters(shard, 10, 'open')).toEqual([]);
    expect(await listDeadLetters(shard, 10, 'discarded')).toHaveLength(1);
  });

  it('is handled once: whoever comes second changes nothing', async () => {
    await insertDeadLetter(shard, aLetter());
    const [letter] = await only();
    const attempts = await Promise.allSettled([
      replayDeadLetter(shard.store, letter!, by),
      discardDeadLetter(shard.store, letter!, by),
      replayDeadLetter(shard.store, letter!, by),
    ]);
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const [lines] = await shard.send(['SELECT COUNT(*) FROM audit_log']);
    expect(String(lines?.rows[0]?.[0])).toBe('1');
  });

  it('of a topic that is none of ours is not sent', async () => {
    await insertDeadLetter(shard, aLetter({ topic: 'somewhere.else' }));
    const [letter] = await only();
    await expect(replayDeadLetter(shard.store, letter!, by)).rejects.toThrow(RangeError);
    expect(await only()).toMatchObject([{ state: 'open' }]);
  });
});

describe('a letter that was handled', () => {
  it.each([
    ['replayed', replayDeadLetter, 'open'],
    ['discarded', discardDeadLetter, 'discarded'],
  ])('%s and given up again from elsewhere', async (_, handle, state) => {
    await insertDeadLetter(shard, aLetter());
    const [letter] = await only();
    await handle(shard.store, letter!, by);
    await insertDeadLetter(shard, aLetter({ offset: 99n }));
    expect(await only()).toMatchObject([{ state, occurrences: 2 }]);
  });

  it('stays so when the same delivery comes once more', async () => {
    await insertDeadLetter(shard, aLetter());
    const [letter] = await only();
    await replayDeadLetter(shard.store, letter!, by);
    await insertDeadLetter(shard, aLetter());
    expect(await only()).toMatchObject([{ state: 'replayed', occurrences: 1 }]);
  });
});
