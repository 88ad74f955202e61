import type { FundingResult, KeyRef, OpeningResult } from '@surety/saga';
import type { KeyMemory } from './key-memory.js';
import { Problem } from './problem.js';

type Stored = OpeningResult | FundingResult;
type KeyReused = Extract<Stored, { kind: 'key_reused' }>;

/**
 * Stores what may still be refused, or be there already. Its key is only looked up before, because it
 * is free for anything else unless something is stored under it; then it is remembered.
 * @param key undefined where the request came without one
 * @throws Problem where the key stands for another request, here or in another slot
 */
export async function storeUnderKey<Result extends Exclude<Stored, KeyReused>>(
  keyMemory: Pick<KeyMemory, 'lookUp' | 'remember'>,
  key: KeyRef | undefined,
  store: () => Promise<Result | KeyReused>,
): Promise<Result> {
  if (key && (await keyMemory.lookUp(key)) === 'elsewhere') {
    throw new Problem('idempotency-key-reused');
  }
  const result = await store();
  if (result.kind === 'key_reused') throw new Problem('idempotency-key-reused');
  if (key && isUnderKey(result)) await keyMemory.remember(key);
  return result;
}

function isUnderKey({ kind }: Stored): boolean {
  return kind === 'opened' || kind === 'accepted' || kind === 'replayed';
}
