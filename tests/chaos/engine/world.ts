import { PROCESS_NAMES } from '@surety/testing/system';
import type { ProcessName, SuretyProcess, SuretySystem } from '@surety/testing/system';
import type { TargetLocks } from './target-locks.js';
import type { Wires } from './wires.js';

/** What faults are done to. */
export interface World {
  readonly system: SuretySystem;
  readonly wires: Wires;
  readonly locks: TargetLocks;
  /** Told every kill of a process of ours, at its instant. */
  readonly killed: (process: SuretyProcess) => void;
}

export function everyProcess({ system }: Pick<World, 'system'>): SuretyProcess[] {
  return PROCESS_NAMES.flatMap((name) => [...system.instances(name)]);
}

/** `workers-2` is one process, `workers:all` all of a kind, `every process` all there are. */
export function processesOf(world: Pick<World, 'system'>, target: string): SuretyProcess[] {
  if (target === 'every process') return everyProcess(world);
  const [name, which] = target.split(':');
  if (which === 'all') return [...world.system.instances(name as ProcessName)];
  const found = everyProcess(world).find((one) => one.instance === target);
  if (!found) throw new Error(`no process ${target}`);
  return [found];
}
