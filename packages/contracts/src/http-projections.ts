import { z } from 'zod';

/**
 * The copies that the projector keeps in Redis and the door may answer from. Losing them loses
 * nothing; they never say more than the rows did at `version`.
 */
export function statusCopyKey(transferId: string): string {
  return `surety:status:${transferId}`;
}

export function balanceCopyKey(accountId: string): string {
  return `surety:balance:${accountId}`;
}

/** Step numbers and versions may come as numbers or strings; both are read as text. */
const version = z.union([z.string(), z.number()]).transform(String);

export const statusCopy = z.looseObject({
  status: z.enum(['requested', 'held', 'committed', 'rejected', 'cancelled']),
  reason: z.string().nullish(),
  version,
  updatedAt: z.string(),
});

const minor = z.string().regex(/^-?[0-9]{1,19}$/);

export const balanceCopy = z.looseObject({
  balance: minor,
  held: minor,
  version,
  currency: z.string(),
  overdraftLimit: minor.nullish(),
  updatedAt: z.string(),
});

export type StatusCopy = z.infer<typeof statusCopy>;
export type BalanceCopy = z.infer<typeof balanceCopy>;
