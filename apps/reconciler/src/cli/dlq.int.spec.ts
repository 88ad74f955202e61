import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPIC_NAMES } from '@surety/contracts';
import { insertDeadLetter, listAuditEntries, listDeadLetters, readOutbox } from '@surety/db';
import type { Shard } from '@surety/db';
import { aTransferId } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { BECAUSE, runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

const ID = aTransferId('payer', 1);
const [TOPIC = ''] = TOPIC_NAMES;

let shards: TestShards;
let shard: Shard;

function surety(...args: readonly string[]): Promise<Ran> {
  return runInProcess(['dlq', ...args], { environment: { SURETY_SHARDS: shards.urls.join(',') } });
}

/** A letter of its own, by its payload. */
async function aLetter(payload: string, topic = TOPIC): Promise<string> {
  await insertDeadLetter(shard, {
    ...{ consumer: 'workers', topic, partition: 3, offset: 17n, slot: 5 },
    ...{ eventId: `${ID}/20`, payload, error: 'no such account\n  at somewhere' },
  });
  const letters = await listDeadLetters(shard, 100);
  return letters.find((letter) => letter.payload === payload)!.letter;
}

async function stateOf(letter: string): Promise<unknown> {
  const letters = await listDeadLetters(shard, 100);
  const found = letters.find((one) => one.letter === letter)!;
  return [found.state, found.handledBy, found.handledReason];
}

async function outboxPayloads(): Promise<readonly string[]> {
  return (await readOutbox(shard, 0n, 100)).map(({ payload }) => payload);
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [, shard] = shards.pools.shards as [Shard, Shard];
});

afterAll(async () => {
  await shards?.drop();
});

describe('surety dlq', () => {
  it('has nothing to list at first', async () => {
    expect(await surety('list')).toMatchObject({ code: 0, out: 'no open dead letters\n' });
  });

  it('lists what waits with its origin, and shows one by the first digits of its name', async () => {
    const letter = await aLetter('["shown"]');
    const list = await surety('list');
    expect(list.code).toBe(1);
    expect(list.out).toContain(`${TOPIC}/3@17`);
    expect(list.out).toMatch(/no such account\n/);
    const show = await surety('show', letter.slice(0, 12).toUpperCase());
    expect(show.code).toBe(0);
    expect(show.out).toContain(`letter       ${letter}`);
    expect(show.out).toContain('  at somewhere');
    expect(show.out).toMatch(/payload\n {2}\["shown"\]\n$/);
  });

  it('says in a dry run what would be done, and does not', async () => {
    const letter = await aLetter('["dry"]');
    const { code, out } = await surety('replay', letter, '--dry-run');
    expect([code, out]).toEqual([0, `letter ${letter.slice(0, 12)} would be replayed\n`]);
    expect(await stateOf(letter)).toEqual(['open', null, null]);
    expect(await outboxPayloads()).not.toContain('["dry"]');
  });

  it('replays the same bytes, once, in the name of the operator', async () => {
    const letter = await aLetter('["again"]');
    const { code, out } = await surety('replay', letter, ...BECAUSE);
    expect([code, out]).toEqual([0, `letter ${letter.slice(0, 12)} is replayed\n`]);
    expect(await stateOf(letter)).toEqual(['replayed', 'operator:spec', 'a spec wants it']);
    const again = await surety('replay', letter, ...BECAUSE);
    expect(again.code).toBe(1);
    expect(again.out).toContain('is left alone: it was replayed already');
    expect((await outboxPayloads()).filter((payload) => payload === '["again"]')).toHaveLength(1);
    const [line, ...others] = await listAuditEntries(shard, { transferId: ID }, 10);
    expect(others).toEqual([]);
    expect(line).toMatchObject({ actor: 'operator:spec', action: 'dead_letter.replay' });
  });

  it('puts several aside and keeps them', async () => {
    const letters = [await aLetter('["x"]'), await aLetter('["y"]')];
    const { code, out } = await surety('discard', ...letters, ...BECAUSE, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      letters: letters.map((letter) => ({ letter, shard: 1, before: 'open', after: 'discarded' })),
    });
    for (const letter of letters) {
      expect((await stateOf(letter)) as unknown[]).toContain('discarded');
    }
    const { out: listed } = await surety('list', '--state', 'discarded', '--json');
    expect(JSON.parse(listed)).toHaveLength(2);
  });

  it('changes nothing without a reason, or where nobody can be asked', async () => {
    const letter = await aLetter('["kept"]');
    for (const verb of ['replay', 'discard']) {
      expect(await surety(verb, letter, '--yes')).toMatchObject({ code: 2 });
      expect(await surety(verb, letter, '--reason', 'x')).toMatchObject({ code: 2 });
    }
    expect(await stateOf(letter)).toEqual(['open', null, null]);
  });

  it('refuses to send to a topic that is none of ours', async () => {
    const letter = await aLetter('["foreign"]', 'somebody-elses');
    const { code, err } = await surety('replay', letter, ...BECAUSE);
    expect(code).toBe(1);
    expect(err).toContain('somebody-elses is no topic that can be sent to: nothing was changed');
    expect(await stateOf(letter)).toEqual(['open', null, null]);
  });

  it.each([
    ['0000', 1, 'there is no dead letter 0000'],
    ['xyz1', 2, 'is not the name of a letter'],
    ['abc', 2, 'is not the name of a letter'],
  ])('knows no letter %s', async (name, exitCode, message) => {
    for (const verb of ['show', 'replay', 'discard']) {
      const { code, err } = await surety(verb, name, ...(verb === 'show' ? [] : BECAUSE));
      expect(code).toBe(exitCode);
      expect(err).toContain(message);
    }
  });
});
