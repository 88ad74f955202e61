import { balanceCopy, balanceCopyKey, statusCopy, statusCopyKey } from '@surety/contracts';
import type { BalanceCopy, StatusCopy } from '@surety/contracts';
import type { AccountId, TransferId } from '@surety/domain';
import type { RedisHandle } from '@surety/runtime';
import type { z } from 'zod';

/** After a failed command Redis is left alone this long, so that requests do not wait for it in turn. */
const PAUSE_AFTER_FAILURE_MS = 1_000;

/** Reads what the projector keeps in Redis. A copy that is absent or unreadable is no copy. */
export class Copies {
  private readonly redis: RedisHandle;
  private pausedUntilMs = 0;

  constructor(redis: RedisHandle) {
    this.redis = redis;
  }

  status(id: TransferId): Promise<StatusCopy | undefined> {
    return this.read(statusCopyKey(id), statusCopy);
  }

  balance(id: AccountId): Promise<BalanceCopy | undefined> {
    return this.read(balanceCopyKey(id), balanceCopy);
  }

  private async read<T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    if (!this.redis.available || performance.now() < this.pausedUntilMs) return undefined;
    let text: string | null;
    try {
      text = await this.redis.client.get(key);
    } catch {
      this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      return undefined;
    }
    return text === null ? undefined : decode(text, schema);
  }
}

function decode<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
