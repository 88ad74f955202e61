import type { ShardPools } from '@surety/db';
import type { CheckResult } from './types.js';

export const CHECK_NAMES: readonly string[] = [];

export async function runChecks(
  _pools: ShardPools,
  _options: { readonly only?: readonly string[] } = {},
): Promise<readonly CheckResult[]> {
  return [];
}
