import { ConfigurationError } from '@surety/runtime';
import type { Gate } from './group-commit.js';
import { ShardContradicts } from './problem.js';
import type { StoredCurrencies } from './stored-currencies.js';

/**
 * The gate of a shard that could not be asked for its currencies at the start. Nothing passes before
 * it was asked; where it then contradicts, nothing ever does: a sum would be read as another one.
 */
export class ComparedGate implements Gate {
  readonly shard: number;
  private readonly gate: Gate;
  private readonly currencies: Pick<StoredCurrencies, 'isCompared' | 'compare'>;

  constructor(gate: Gate, currencies: Pick<StoredCurrencies, 'isCompared' | 'compare'>) {
    this.shard = gate.shard;
    this.gate = gate;
    this.currencies = currencies;
  }

  get isOpen(): boolean {
    return this.gate.isOpen;
  }

  /** @throws ShardContradicts, and what the gate behind throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.currencies.isCompared(this.shard)) await this.compare();
    return this.gate.run(work);
  }

  close(): void {
    this.gate.close();
  }

  private async compare(): Promise<void> {
    try {
      await this.gate.run(() => this.currencies.compare(this.shard));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new ShardContradicts(this.shard, { cause: error });
    }
  }
}
