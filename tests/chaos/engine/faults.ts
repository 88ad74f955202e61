import type { PlannedFault } from './plan.js';
import {
  freezeProcesses,
  killProcess,
  restartEverything,
  restartProcess,
} from './process-faults.js';
import { expireOffsets, flushRedis, killServer, remakeTopic } from './server-faults.js';
import {
  cutConnections,
  failStatements,
  leaveHalfOpen,
  refuseConnections,
  slowDown,
} from './wire-faults.js';
import type { World } from './world.js';

type Injector = (world: World, fault: PlannedFault) => Promise<void>;

const failing: Injector = (world, fault) =>
  failStatements(world, fault as Parameters<typeof failStatements>[1]);

const INJECTORS: Readonly<Record<PlannedFault['kind'], Injector>> = {
  kill: killProcess,
  freeze: freezeProcesses,
  'freeze past the lease': freezeProcesses,
  'freeze past the hold timeout': freezeProcesses,
  restart: restartProcess,
  'rolling restart': restartEverything,
  'server killed': killServer,
  'redis flushed': flushRedis,
  'topic made again': remakeTopic,
  'offsets expired': expireOffsets,
  'connections cut': cutConnections,
  'connections refused': refuseConnections,
  slow: slowDown,
  'half open': leaveHalfOpen,
  'disk full': failing,
  'read-only': failing,
  deadlock: failing,
  'lock wait': failing,
};

/** Resolves when the fault is healed again. */
export function inject(world: World, fault: PlannedFault): Promise<void> {
  return INJECTORS[fault.kind](world, fault);
}
