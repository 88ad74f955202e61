import type { ConnectionPool, Link } from './connection/connection-pool.js';
import { linkSession, storeError } from './connection/session.js';
import type { Session } from './connection/session.js';
import type { Shard } from './shard-pools.js';

/** Bounds one statement of a check: a full scan of a large table takes its time. */
export const SNAPSHOT_STATEMENT_TIMEOUT_MS = 300_000;
/** A snapshot may lie idle while another shard's is read. */
const SNAPSHOT_WAIT_TIMEOUT_SECONDS = 600;

/**
 * Bounds how long one shard may keep the writers of the others waiting while placements are held:
 * as long as a writer waits for a lock before it gives up.
 */
const QUIET_TIMEOUT_MS = 3_000;
/** A server that does not answer this is not asked to hold anything. */
const ANSWER_FIRST_TIMEOUT_MS = 1_000;

const OPEN_SNAPSHOT = [
  `SET SESSION wait_timeout = ${SNAPSHOT_WAIT_TIMEOUT_SECONDS}`,
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY',
];

/** The row that every writer takes in shared mode: once it is ours, no writer is in flight. */
const TAKE_PLACEMENT = [
  'START TRANSACTION',
  'SELECT epoch FROM placement FORCE INDEX (PRIMARY) WHERE id = 1 FOR UPDATE',
];

/**
 * Reads of one instant of a shard, whatever is written meanwhile.
 * @throws StoreError, and what `work` throws
 */
export function withSnapshot<T>(shard: Shard, work: (snapshot: Session) => Promise<T>): Promise<T> {
  return shard.pool.useOnce(async (link) => {
    await openSnapshot(link);
    return work(snapshotSession(shard, link));
  });
}

/**
 * Reads of one and the same instant of all shards. Writers are held up only while the snapshots are
 * opened: placement is taken exclusively on every shard, in the order of their ids, a snapshot is
 * opened on each, and placement is given back before `work` begins. Each shard needs two connections
 * of its pool for that moment.
 * @throws StoreError, and what `work` throws
 */
export function withGlobalSnapshot<T>(
  shards: readonly Shard[],
  work: (snapshots: readonly Session[]) => Promise<T>,
): Promise<T> {
  const sorted = [...shards].sort((a, b) => a.id - b.id);
  return withLinks(
    sorted.map(({ pool }) => pool),
    async (links) => {
      await Promise.all(links.map(mustAnswer));
      await withQuietShards(sorted, async () => {
        await Promise.all(links.map(openSnapshot));
      });
      return work(links.map((link, index) => snapshotSession(sorted[index] as Shard, link)));
    },
  );
}

/**
 * Runs `work` while no transaction of any of these shards is in flight. Every server has answered on
 * the very connection before the first placement is taken, and each then has a short time: a shard
 * that hangs must not stop the writers of those that work.
 */
function withQuietShards(shards: readonly Shard[], work: () => Promise<void>): Promise<void> {
  const pools = shards.map(({ pool }) => pool);
  return withLinks(pools, async (links) => {
    await Promise.all(links.map(mustAnswer));
    try {
      for (const [index, link] of links.entries()) {
        const doing = `a quiet instant of shard ${shards[index]?.id}`;
        await sendOrThrow(link, TAKE_PLACEMENT, { doing, timeoutMs: QUIET_TIMEOUT_MS });
      }
      await work();
    } finally {
      const options = { timeoutMs: QUIET_TIMEOUT_MS };
      await Promise.allSettled(links.map((link) => link.send(['ROLLBACK'], options)));
    }
  });
}

async function mustAnswer(link: Link): Promise<void> {
  const timeoutMs = ANSWER_FIRST_TIMEOUT_MS;
  await sendOrThrow(link, ['SELECT 1'], { doing: 'a sign of life', timeoutMs });
}

/** One connection of each pool at the same time, none of which is used again. */
async function withLinks<T>(
  pools: readonly ConnectionPool[],
  work: (links: readonly Link[]) => Promise<T>,
  links: readonly Link[] = [],
): Promise<T> {
  const [first, ...others] = pools;
  if (!first) return work(links);
  return first.useOnce((link) => withLinks(others, work, [...links, link]));
}

async function openSnapshot(link: Link): Promise<void> {
  await sendOrThrow(link, OPEN_SNAPSHOT, { doing: 'a snapshot', timeoutMs: QUIET_TIMEOUT_MS });
}

async function sendOrThrow(
  link: Link,
  statements: readonly string[],
  { doing, timeoutMs }: { readonly doing: string; readonly timeoutMs: number },
): Promise<void> {
  try {
    await link.send(statements, { timeoutMs });
  } catch (error) {
    throw storeError(error, doing);
  }
}

function snapshotSession(shard: Shard, link: Link): Session {
  return linkSession(shard.id, link, { timeoutMs: SNAPSHOT_STATEMENT_TIMEOUT_MS });
}
