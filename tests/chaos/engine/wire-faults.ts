import { sleep } from '@surety/runtime';
import type { ProxyMode } from '../proxy/modes.js';
import { STATEMENT_FAILURES } from '../proxy/mysql-fault-proxy.js';
import type { StatementFault } from '../proxy/mysql-fault-proxy.js';
import type { PlannedFault } from './plan.js';
import type { World } from './world.js';

const SLOW: ProxyMode = { kind: 'slow', latencyMs: 40, jitterMs: 160, bytesPerSecond: 400_000 };
const HALF_OPEN: readonly ProxyMode[] = [
  { kind: 'halfOpen', direction: 'both' },
  { kind: 'halfOpen', direction: 'toServer' },
  { kind: 'halfOpen', direction: 'toClient' },
];
/** What is asked again at once must sometimes get through, or no retry is ever seen to work. */
const SHARE_TRANSIENT = 0.3;

function lockOf(server: string): string {
  return `wire ${server}`;
}

export async function cutConnections(world: World, { target }: PlannedFault): Promise<void> {
  await world.locks.hold([lockOf(target)], async () => world.wires.mode(target, { kind: 'cut' }));
}

/** Those there are cut as well: connections in a pool would hide that no new one comes about. */
export async function refuseConnections(world: World, fault: PlannedFault): Promise<void> {
  await during(world, fault, () => {
    world.wires.mode(fault.target, { kind: 'cut' });
    world.wires.mode(fault.target, { kind: 'refuse' });
  });
}

export function slowDown(world: World, fault: PlannedFault): Promise<void> {
  return during(world, fault, () => world.wires.mode(fault.target, SLOW));
}

export function leaveHalfOpen(world: World, fault: PlannedFault): Promise<void> {
  const mode = HALF_OPEN[fault.lengthMs % HALF_OPEN.length] as ProxyMode;
  return during(world, fault, () => world.wires.mode(fault.target, mode));
}

/** Statements that write are answered with an error in the server's place. */
export function failStatements(
  world: World,
  fault: PlannedFault & { kind: 'disk full' | 'read-only' | 'deadlock' | 'lock wait' },
): Promise<void> {
  return during(world, fault, () => {
    world.wires.failStatements(fault.target, statementFault(fault));
  });
}

function statementFault({
  kind,
  lengthMs,
}: PlannedFault & {
  kind: 'disk full' | 'read-only' | 'deadlock' | 'lock wait';
}): StatementFault {
  switch (kind) {
    case 'disk full':
      return { ...STATEMENT_FAILURES.diskFull, share: 1 };
    case 'read-only': {
      const { readOnlyMode, readOnlyOption } = STATEMENT_FAILURES;
      return { ...(lengthMs % 2 === 0 ? readOnlyMode : readOnlyOption), share: 1 };
    }
    case 'deadlock':
      return { ...STATEMENT_FAILURES.deadlock, share: SHARE_TRANSIENT };
    case 'lock wait':
      return { ...STATEMENT_FAILURES.lockWait, share: SHARE_TRANSIENT };
  }
}

async function during(
  { locks, wires }: World,
  { target, lengthMs }: PlannedFault,
  begin: () => void,
): Promise<void> {
  await locks.hold([lockOf(target)], async () => {
    begin();
    await sleep(lengthMs);
    wires.mode(target, { kind: 'pass' });
    if (target.startsWith('shard')) wires.failStatements(target);
  });
}
