import { listAccountCurrencies, listStoredCurrencies, rememberCurrencies } from '@surety/db';
import type { Shard } from '@surety/db';
import { currencyMistakes, isOwnCurrency } from '@surety/domain';
import type {
  Currency,
  CurrencyCode,
  CurrencyTable,
  ShardId,
  StoredCurrency,
} from '@surety/domain';
import { ConfigurationError } from '@surety/runtime';
import type { Logger } from '@surety/runtime';
import { ShardUnavailable } from './problem.js';

export interface StoredCurrenciesOptions {
  readonly shards: readonly Shard[];
  /** As this process is configured. */
  readonly currencies: CurrencyTable;
  readonly log: Logger;
}

/** What was found on a shard. */
interface Look {
  readonly shard: Shard;
  readonly stored: readonly StoredCurrency[];
  /** Currencies of accounts that nothing is written down of: a database of an earlier release. */
  readonly unwritten: readonly CurrencyCode[];
}

/**
 * Keeps sums from being read with other decimals than they were stored with. Every shard writes down
 * the decimals of a currency before its first account; here they are compared with those of the
 * configuration, at the start or, of a shard that is away then, before anything passes its gate.
 */
export class StoredCurrencies {
  private readonly options: StoredCurrenciesOptions;
  /** Written down on the shard, and as configured. A shard that is missing was not compared. */
  private readonly known = new Map<ShardId, Set<CurrencyCode>>();
  private readonly comparing = new Map<ShardId, Promise<void>>();
  /** Asked again and again, a shard contradicts each time: one line tells of it. */
  private readonly told = new Set<string>();

  constructor(options: StoredCurrenciesOptions) {
    this.options = options;
  }

  isCompared(id: ShardId): boolean {
    return this.known.has(id);
  }

  /**
   * Compares what answers. Nothing is written where anything contradicts: the configuration is not
   * the one that the money was stored with.
   * @throws ConfigurationError with all mistakes of all shards
   */
  async compareAll(): Promise<void> {
    const { shards, currencies } = this.options;
    const looks = await Promise.all(shards.map((shard) => this.unlessAway(shard, lookAt(shard))));
    const found = looks.flatMap((look) => look ?? []);
    const mistakes = currencyMistakes(
      found.flatMap(({ stored }) => stored),
      currencies,
    );
    if (mistakes.length > 0) throw new ConfigurationError(mistakes);
    await Promise.all(found.map((look) => this.unlessAway(look.shard, this.take(look))));
  }

  /**
   * Compares a shard, for everybody who asks at the same time.
   * @throws ConfigurationError where it contradicts, StoreError where it is away
   */
  compare(id: ShardId): Promise<void> {
    const running = this.comparing.get(id) ?? this.compareOne(id);
    this.comparing.set(id, running);
    return running;
  }

  /**
   * Before accounts are opened: once a currency is written down on a shard, this costs nothing more.
   * A row without an account, because its opening failed, says what an account would have said.
   * @throws ConfigurationError where another process was first, with other decimals; ShardUnavailable
   * where a shard that was not compared may have them otherwise
   */
  async remember(id: ShardId, codes: readonly CurrencyCode[]): Promise<void> {
    const known = this.known.get(id);
    const unknown = [...new Set(codes)].filter((code) => !known?.has(code));
    if (unknown.length === 0) return;
    this.refuseUnheardOf(unknown);
    const stored = await rememberCurrencies(this.shardOf(id), this.configured(unknown));
    this.accept(id, stored);
  }

  /** An own currency that no compared shard has may have other decimals on the one that is away. */
  private refuseUnheardOf(codes: readonly CurrencyCode[]): void {
    const away = this.options.shards.find(({ id }) => !this.isCompared(id));
    if (!away) return;
    const isHeardOf = (code: CurrencyCode): boolean =>
      !isOwnCurrency(code) || [...this.known.values()].some((known) => known.has(code));
    if (!codes.every(isHeardOf)) throw new ShardUnavailable(away.id);
  }

  private async unlessAway<T>({ id }: Shard, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof ConfigurationError) throw error;
      const message = `shard ${id} cannot be asked for its currencies: it is closed until it can`;
      this.options.log.warn(message, { shard: id, error });
      return undefined;
    }
  }

  private async compareOne(id: ShardId): Promise<void> {
    try {
      const look = await lookAt(this.shardOf(id));
      this.refuse(currencyMistakes(look.stored, this.options.currencies));
      await this.take(look);
    } finally {
      this.comparing.delete(id);
    }
  }

  /** Where nothing was written down, the first configuration that names all of it is believed. */
  private async take({ shard, stored, unwritten }: Look): Promise<void> {
    const added = await rememberCurrencies(shard, this.configured(unwritten));
    const written = stored.flatMap(({ code, exponent }) =>
      exponent === null ? [] : [{ code, exponent }],
    );
    this.accept(shard.id, [...written, ...added]);
    if (!this.isCompared(shard.id)) this.known.set(shard.id, new Set());
  }

  private accept(id: ShardId, stored: readonly Currency[]): void {
    const { currencies } = this.options;
    this.refuse(
      currencyMistakes(
        stored.map((one) => ({ ...one, shard: id })),
        currencies,
      ),
    );
    const known = this.known.get(id) ?? new Set();
    for (const { code } of stored) known.add(code);
    this.known.set(id, known);
  }

  private refuse(mistakes: readonly string[]): void {
    if (mistakes.length === 0) return;
    const error = new ConfigurationError(mistakes);
    if (!this.told.has(error.message)) {
      this.told.add(error.message);
      this.options.log.error('money is stored with other decimals', { error });
    }
    throw error;
  }

  private configured(codes: readonly CurrencyCode[]): readonly Currency[] {
    return codes.flatMap((code) => this.options.currencies.get(code) ?? []);
  }

  private shardOf(id: ShardId): Shard {
    const shard = this.options.shards.find((one) => one.id === id);
    if (!shard) throw new ShardUnavailable(id);
    return shard;
  }
}

async function lookAt(shard: Shard): Promise<Look> {
  const { id } = shard;
  const stored = await listStoredCurrencies(shard);
  const unwritten = stored.length > 0 ? [] : await listAccountCurrencies(shard);
  const unsaid = unwritten.map((code) => ({ code, exponent: null, shard: id }));
  return { shard, stored: [...stored.map((one) => ({ ...one, shard: id })), ...unsaid], unwritten };
}
