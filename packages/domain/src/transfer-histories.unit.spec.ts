import { describe, expect, it } from '@jest/globals';
import { aTransferId, anAccount, eur } from '@surety/testing';
import fc from 'fast-check';
import { availableMinor } from './account.js';
import type { Account, AccountStatus } from './account.js';
import type { Leg } from './ledger.js';
import { decideDestination, decideSource, decisionOf, evolve, isEnded } from './transfer.js';
import type { Decision, Outcome, Transfer, TransferEvent, TransferTerms } from './transfer.js';

/** What may happen to the n-th transfer. `credit` and `settle` need the event that orders them. */
type Move = 'hold' | 'credit' | 'void' | 'settle' | 'expire';

/**
 * Accounts, transfers and decisions as their shards would keep them: every move reads the rows,
 * decides and stores. Orders that were given once may arrive again at any later time.
 */
class World {
  readonly accounts = new Map<string, Account>();
  readonly terms: TransferTerms[] = [];
  readonly legs: Leg[] = [];
  readonly alarms: string[] = [];
  readonly #transfers: (Transfer | undefined)[] = [];
  readonly #decisions: (Decision | undefined)[] = [];
  readonly #streams: TransferEvent[][] = [];

  constructor(accounts: readonly Account[], transfers: readonly [string, string, bigint][]) {
    for (const account of accounts) this.accounts.set(account.id, account);
    for (const [source, destination, minor] of transfers) {
      const id = aTransferId(source, this.terms.length);
      const terms = { id, source, destination, amount: eur(minor) };
      this.terms.push(terms);
      this.#transfers.push(evolve(undefined, { type: 'requested', step: 10 }, terms));
      this.#decisions.push(undefined);
      this.#streams.push([{ type: 'requested', step: 10 }]);
    }
  }

  /** Events of the n-th transfer in the order in which they were decided. */
  stream(n: number): string[] {
    return this.#streams[n]!.map((event) => event.type);
  }

  transfer(n: number): Transfer {
    return this.#transfers[n]!;
  }

  decision(n: number): Decision | undefined {
    return this.#decisions[n];
  }

  setStatus(id: string, status: AccountStatus): void {
    this.accounts.set(id, { ...this.accounts.get(id)!, status });
  }

  move(n: number, move: Move): Outcome | 'not ordered' {
    const terms = this.terms[n]!;
    const outcome = this.#decide(n, move, terms);
    if (outcome === 'not ordered') return outcome;
    if (outcome.kind === 'alarm') this.alarms.push(`${move} ${n}: ${outcome.alarm}`);
    if (outcome.kind === 'accepted') this.#store(n, outcome, terms);
    return outcome;
  }

  #decide(n: number, move: Move, terms: TransferTerms): Outcome | 'not ordered' {
    const source = this.accounts.get(terms.source);
    const destination = this.accounts.get(terms.destination);
    const decision = this.#decisions[n];
    switch (move) {
      case 'hold':
        return decideSource(this.#transfers[n], { type: 'hold', account: source });
      case 'expire':
        return decideSource(this.#transfers[n], { type: 'expire' });
      case 'credit':
        if (!this.stream(n).includes('held')) return 'not ordered';
        return decideDestination(terms, decision, { type: 'credit', account: destination });
      case 'void':
        return decideDestination(terms, decision, { type: 'void', reason: 'hold_expired' });
      case 'settle':
        if (!decision) return 'not ordered';
        return decideSource(this.#transfers[n], { type: 'settle', decision, account: source });
    }
  }

  #store(n: number, outcome: Extract<Outcome, { kind: 'accepted' }>, terms: TransferTerms): void {
    const { event, account, legs } = outcome;
    if (account) this.accounts.set(account.id, account);
    this.legs.push(...legs);
    this.#streams[n]!.push(event);
    this.#transfers[n] = evolve(this.#transfers[n], event, terms);
    this.#decisions[n] ??= decisionOf(event);
  }

  /** Ends whatever is left the way the reconciler does: decision before release. */
  drain(): void {
    for (const n of this.terms.keys()) {
      this.move(n, 'hold');
      this.move(n, 'void');
      this.move(n, 'settle');
    }
  }

  transitSum(): bigint {
    return this.legs
      .filter((leg) => leg.account.startsWith('~transit:'))
      .reduce((sum, leg) => sum + leg.minor, 0n);
  }
}

describe('given a history, when a command comes', () => {
  const start = (): World =>
    new World([anAccount('A', { balance: 100n }), anAccount('B')], [['A', 'B', 30n]]);

  it.each<[string, Move[], Move, string[], string]>([
    ['the first hold', [], 'hold', ['requested', 'held'], 'A 100/30, B 0/0'],
    ['a credit follows', ['hold'], 'credit', ['requested', 'held', 'credited'], 'A 100/30, B 30/0'],
    [
      'a commit ends it',
      ['hold', 'credit'],
      'settle',
      ['requested', 'held', 'credited', 'committed'],
      'A 70/0, B 30/0',
    ],
    [
      'the hold comes again after the end',
      ['hold', 'credit', 'settle'],
      'hold',
      ['requested', 'held', 'credited', 'committed'],
      'A 70/0, B 30/0',
    ],
    [
      'the credit comes again after the end',
      ['hold', 'credit', 'settle'],
      'credit',
      ['requested', 'held', 'credited', 'committed'],
      'A 70/0, B 30/0',
    ],
    [
      'the void comes too late',
      ['hold', 'credit'],
      'void',
      ['requested', 'held', 'credited'],
      'A 100/30, B 30/0',
    ],
    [
      'a credit comes after the void',
      ['hold', 'void', 'settle'],
      'credit',
      ['requested', 'held', 'voided', 'cancelled'],
      'A 100/0, B 0/0',
    ],
    [
      'a cancel overtakes the hold',
      ['void', 'settle'],
      'hold',
      ['requested', 'voided', 'cancelled'],
      'A 100/0, B 0/0',
    ],
    [
      'a hold comes between void and cancel',
      ['void', 'hold'],
      'settle',
      ['requested', 'voided', 'held', 'cancelled'],
      'A 100/0, B 0/0',
    ],
    ['nobody took it up', ['expire'], 'hold', ['requested', 'rejected'], 'A 100/0, B 0/0'],
    [
      'a void finds an expired one',
      ['expire', 'void'],
      'settle',
      ['requested', 'rejected', 'voided'],
      'A 100/0, B 0/0',
    ],
  ])('%s', (_, given, when, events, accounts) => {
    const world = start();
    for (const move of given) world.move(0, move);
    world.move(0, when);
    expect(world.stream(0)).toEqual(events);
    const told = [...world.accounts.values()].map(({ id, balance, held }) => {
      return `${id} ${balance}/${held}`;
    });
    expect(told.join(', ')).toBe(accounts);
    expect(world.alarms).toEqual([]);
  });

  it('a credit without a hold, a settle without a decision: nobody may', () => {
    const world = start();
    expect(world.move(0, 'credit')).toBe('not ordered');
    expect(world.move(0, 'settle')).toBe('not ordered');
  });

  it('an account frozen after the hold still pays, one frozen before does not', () => {
    const world = new World(
      [anAccount('A', { balance: 100n }), anAccount('B')],
      [
        ['A', 'B', 30n],
        ['A', 'B', 10n],
      ],
    );
    world.move(0, 'hold');
    world.setStatus('A', 'frozen');
    world.move(1, 'hold');
    world.move(0, 'credit');
    world.move(0, 'settle');
    expect(world.transfer(0).status).toBe('committed');
    expect(world.transfer(1)).toMatchObject({ status: 'rejected', reason: 'source_frozen' });
  });
});

describe('any sequence of commands, with duplicates and out of order', () => {
  const IDS = ['A', 'B', 'C'] as const;
  const STATUSES: readonly AccountStatus[] = ['open', 'open', 'frozen', 'closed'];
  const MOVES: readonly Move[] = ['hold', 'credit', 'void', 'settle', 'expire'];

  const account = fc.record({
    balance: fc.bigInt({ min: 0n, max: 100n }),
    overdraftLimit: fc.constantFrom(0n, 0n, 20n),
  });
  const transfer = fc
    .tuple(fc.constantFrom(...IDS), fc.integer({ min: 1, max: 2 }), fc.bigInt(1n, 60n))
    .map(([source, distance, minor]): [string, string, bigint] => {
      const destination = IDS[(IDS.indexOf(source) + distance) % IDS.length]!;
      return [source, destination, minor];
    });
  const happening = fc.oneof(
    { weight: 9, arbitrary: fc.record({ n: fc.nat(), move: fc.constantFrom(...MOVES) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        id: fc.constantFrom(...IDS),
        status: fc.constantFrom(...STATUSES),
      }),
    },
  );
  const history = fc.record({
    accounts: fc.tuple(account, account, account),
    transfers: fc.array(transfer, { minLength: 1, maxLength: 6 }),
    happenings: fc.array(happening, { maxLength: 80 }),
  });
  type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

  /** Plays the history and shows every state on the way to `look`. */
  function play({ accounts, transfers, happenings }: History, look: (world: World) => void): World {
    const opened = accounts.map((fields, index) => anAccount(IDS[index]!, fields));
    const world = new World(opened, transfers);
    for (const happened of happenings) {
      if ('move' in happened) world.move(happened.n % transfers.length, happened.move);
      else world.setStatus(happened.id, happened.status);
      look(world);
    }
    return world;
  }

  function always(look: (world: World) => void): void {
    fc.assert(fc.property(history, (drawn) => void play(drawn, look)));
  }

  it('conserves: transit carries exactly what is credited and not yet committed', () => {
    always((world) => {
      let underWay = 0n;
      for (const [n, terms] of world.terms.entries()) {
        const isCredited = world.decision(n)?.outcome === 'credited';
        if (isCredited && world.transfer(n).status !== 'committed') underWay += terms.amount.minor;
      }
      expect(world.transitSum()).toBe(-underWay);
      expect(world.legs.reduce((sum, leg) => sum + leg.minor, 0n)).toBe(0n);
    });
  });

  it('keeps every balance equal to its legs and every held total equal to its holds', () => {
    fc.assert(
      fc.property(history, (drawn) => {
        play(drawn, (world) => {
          for (const [index, id] of IDS.entries()) {
            const { balance, held, entrySeq } = world.accounts.get(id)!;
            const legs = world.legs.filter((leg) => leg.account === id);
            const posted = legs.reduce((sum, leg) => sum + leg.minor, 0n);
            expect(balance).toBe(drawn.accounts[index]!.balance + posted);
            expect(legs.map((leg) => leg.entrySeq)).toEqual(legs.map((_, n) => BigInt(n + 1)));
            expect(entrySeq).toBe(BigInt(legs.length));
            const holds = world.terms.filter(
              (terms, n) => terms.source === id && world.transfer(n).status === 'held',
            );
            expect(held).toBe(holds.reduce((sum, terms) => sum + terms.amount.minor, 0n));
          }
        });
      }),
    );
  });

  it('never overdraws', () => {
    always((world) => {
      for (const one of world.accounts.values()) {
        expect(availableMinor(one)).toBeGreaterThanOrEqual(0n);
      }
    });
  });

  it('raises no alarm', () => {
    always((world) => expect(world.alarms).toEqual([]));
  });

  it('ends every transfer exactly once, and an end never changes', () => {
    fc.assert(
      fc.property(history, (drawn) => {
        const ended = new Map<number, Transfer>();
        const world = play(drawn, (state) => {
          for (const n of state.terms.keys()) {
            const now = state.transfer(n);
            expect(ended.get(n) ?? now).toEqual(now);
            if (isEnded(now.status)) ended.set(n, now);
          }
        });
        world.drain();
        for (const n of world.terms.keys()) {
          const ends = world.stream(n).filter((type) => {
            return type === 'committed' || type === 'rejected' || type === 'cancelled';
          });
          expect(ends).toEqual([world.transfer(n).status]);
        }
        expect(world.transitSum()).toBe(0n);
        for (const one of world.accounts.values()) expect(one.held).toBe(0n);
      }),
    );
  });

  it('decides once at the destination, and commits only what was credited', () => {
    always((world) => {
      for (const n of world.terms.keys()) {
        const decisions = world
          .stream(n)
          .filter((type) => type === 'credited' || type === 'refused' || type === 'voided');
        expect(decisions.length).toBeLessThanOrEqual(1);
        const { status } = world.transfer(n);
        if (status === 'committed') expect(decisions).toEqual(['credited']);
        if (status === 'cancelled') expect(decisions).toEqual(['voided']);
      }
    });
  });

  it('comes to the same rows when everything is delivered twice', () => {
    fc.assert(
      fc.property(history, (drawn) => {
        const twice = { ...drawn, happenings: drawn.happenings.flatMap((one) => [one, one]) };
        const once = play(drawn, () => undefined);
        const again = play(twice, () => undefined);
        expect(again.accounts).toEqual(once.accounts);
        expect(again.legs).toEqual(once.legs);
      }),
    );
  });
});
