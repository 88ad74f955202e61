import type { Random } from './random.js';

/** What can go wrong at a call of a port, each with its probability per call. */
export const FAULT_RATES = {
  crash: 0.006,
  pause: 0.003,
  failed_transaction: 0.02,
  kept_rows: 0.2,
  lost_acknowledgement: 0.02,
  retried_transaction: 0.02,
  late_commit: 0.15,
  failed_publish: 0.02,
  unacknowledged_publish: 0.02,
  repeated_message: 0.03,
  reordered_messages: 0.1,
  lost_request: 0.03,
  lost_answer: 0.03,
  lost_ring: 0.1,
} as const;

export type FaultKind = keyof typeof FAULT_RATES;

/** Draws faults and counts them. Once it is off nothing strikes any more. */
export class Faults {
  isOn = true;
  readonly counts = new Map<string, number>();
  readonly #random: Random;
  readonly #intensity: number;

  constructor(random: Random, intensity: number) {
    this.#random = random;
    this.#intensity = intensity;
  }

  strikes(kind: FaultKind): boolean {
    if (!this.isOn || !this.#random.chance(FAULT_RATES[kind] * this.#intensity)) return false;
    this.count(kind);
    return true;
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
