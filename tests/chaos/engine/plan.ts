import { PROCESS_NAMES } from '@surety/testing/system';
import { Chance } from '../../e2e/chance.js';

/** What can be done to a running system. The names are those of the report. */
export const FAULT_KINDS = [
  'kill',
  'freeze',
  'freeze past the lease',
  'freeze past the hold timeout',
  'restart',
  'rolling restart',
  'server killed',
  'redis flushed',
  'topic made again',
  'offsets expired',
  'connections cut',
  'connections refused',
  'slow',
  'half open',
  'disk full',
  'read-only',
  'deadlock',
  'lock wait',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** An instance, all of a kind (`workers:all`), a server, a topic or a group. */
  readonly target: string;
  /** From the fault to its healing; 0 where nothing is to be healed. */
  readonly lengthMs: number;
  /** No other fault is under way from its start until transfers go on: the time is the promise's. */
  readonly isAlone: boolean;
}

export const SHARD_SERVERS = ['shard0', 'shard1'] as const;
export const SERVERS = [...SHARD_SERVERS, 'kafka', 'redis'] as const;
export const GROUPS = ['workers', 'projector'] as const;
export const TOPICS_BY_ADDRESSEE = ['toSource', 'toDestination', 'ended'] as const;
export const INSTANCES_OF_EACH = 2;

export interface PlanTimes {
  readonly holdTimeoutMs: number;
  readonly leaseMs: number;
}

interface KindPlan {
  readonly targets: readonly string[];
  /** Shortest and longest, milliseconds. */
  readonly lengthMs: readonly [number, number];
  /** How many of them a round of the plan holds. */
  readonly perRound: number;
}

const ALL_INSTANCES: readonly string[] = PROCESS_NAMES.flatMap((name) =>
  Array.from({ length: INSTANCES_OF_EACH }, (_, at) => `${name}-${at + 1}`),
);

const allOf = (name: string): string => `${name}:all`;

function kindPlans({ holdTimeoutMs, leaseMs }: PlanTimes): Record<FaultKind, KindPlan> {
  const once = { targets: ALL_INSTANCES, perRound: 1 };
  const onShards = { targets: SHARD_SERVERS, perRound: 1 };
  const onWires = { targets: SERVERS, perRound: 2 };
  const pastHold: [number, number] = [holdTimeoutMs + 1_000, holdTimeoutMs + 4_000];
  return {
    kill: { targets: ALL_INSTANCES, lengthMs: [0, 0], perRound: 7 },
    freeze: { targets: ALL_INSTANCES, lengthMs: [300, 3_000], perRound: 4 },
    'freeze past the lease': { ...once, lengthMs: [leaseMs + 500, leaseMs + 3_000] },
    'freeze past the hold timeout': {
      targets: [...ALL_INSTANCES, ...['workers', 'relay', 'projector', 'reconciler'].map(allOf)],
      lengthMs: pastHold,
      perRound: 1,
    },
    restart: { ...once, lengthMs: [0, 0] },
    'rolling restart': { targets: ['every process'], lengthMs: [0, 0], perRound: 1 },
    'server killed': { targets: SERVERS, lengthMs: [0, 2_500], perRound: 2 },
    'redis flushed': { targets: ['redis'], lengthMs: [0, 0], perRound: 1 },
    'topic made again': { targets: TOPICS_BY_ADDRESSEE, lengthMs: [0, 500], perRound: 1 },
    'offsets expired': { targets: GROUPS, lengthMs: [0, 0], perRound: 1 },
    'connections cut': { ...onWires, lengthMs: [0, 0] },
    'connections refused': { ...onWires, lengthMs: [500, 4_000] },
    slow: { ...onWires, lengthMs: [1_000, 6_000] },
    'half open': { ...onWires, lengthMs: [500, 5_000] },
    'disk full': { ...onShards, lengthMs: [500, 3_000] },
    'read-only': { ...onShards, lengthMs: [500, 3_000] },
    deadlock: { ...onShards, lengthMs: [500, 2_000] },
    'lock wait': { ...onShards, lengthMs: [500, 2_000] },
  };
}

/** So many kills of a round are measured alone; more would leave no time for faults that overlap. */
const KILLS_ALONE_PER_ROUND = 2;

/**
 * An endless sequence of faults out of one seed, in rounds that each hold every kind; within a kind
 * the targets go round as well, so that none is left to luck.
 */
export function* planFaults(seed: number, times: PlanTimes): Generator<PlannedFault, never> {
  const chance = new Chance(seed);
  const plans = kindPlans(times);
  const decks = new Map<string, string[]>();
  const kinds = FAULT_KINDS.flatMap((kind) =>
    Array.from({ length: plans[kind].perRound }, () => kind),
  );
  for (;;) {
    let killsAlone = 0;
    for (const kind of shuffled(kinds, chance)) {
      const isAlone = kind === 'kill' && killsAlone < KILLS_ALONE_PER_ROUND;
      if (isAlone) killsAlone += 1;
      const [shortest, longest] = plans[kind].lengthMs;
      // A deck of its own, so that kills alone go through all processes, too.
      const deckName = isAlone ? `${kind} alone` : kind;
      const deck = decks.get(deckName) ?? [];
      if (deck.length === 0) deck.push(...shuffled(plans[kind].targets, chance));
      decks.set(deckName, deck);
      const target = deck.pop() as string;
      yield { kind, target, isAlone, lengthMs: shortest + chance.below(longest - shortest + 1) };
    }
  }
}

export function shuffled<Item>(items: readonly Item[], chance: Chance): Item[] {
  const mixed = [...items];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = chance.below(at + 1);
    [mixed[at], mixed[other]] = [mixed[other] as Item, mixed[at] as Item];
  }
  return mixed;
}
