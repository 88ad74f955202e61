import { sleep } from '@surety/runtime';
import type { SuretyProcess } from '@surety/testing/system';
import type { PlannedFault } from './plan.js';
import { everyProcess, processesOf } from './world.js';
import type { World } from './world.js';

/** A rolling restart waits so long for one process before it goes on to the next. */
const READY_WITHIN_MS = 8_000;

function lockOf(process: SuretyProcess): string {
  return `process ${process.instance}`;
}

/** kill -9; the supervisor starts it again. */
export async function killProcess(world: World, { target }: PlannedFault): Promise<void> {
  for (const process of processesOf(world, target)) {
    await world.locks.hold([lockOf(process)], async () => {
      // What was dead already is no fault that was done.
      if (!process.kill()) throw new Error(`${process.instance} was dead`);
      world.killed(process);
    });
  }
}

export async function freezeProcesses(
  world: World,
  { target, lengthMs }: PlannedFault,
): Promise<void> {
  const frozen = processesOf(world, target);
  await world.locks.hold(frozen.map(lockOf), async () => {
    const isFrozen = frozen.map((process) => process.pause());
    await sleep(lengthMs);
    for (const process of frozen) process.resume();
    if (!isFrozen.includes(true)) throw new Error(`${target} was dead`);
  });
}

export async function restartProcess(world: World, { target }: PlannedFault): Promise<void> {
  for (const process of processesOf(world, target)) await restart(world, process);
}

/** One after another, each only when the one before says that it is ready, as an upgrade does. */
export async function restartEverything(world: World): Promise<void> {
  for (const process of everyProcess(world)) {
    await restart(world, process);
    // A server may be away meanwhile: then it is not ready, and the upgrade goes on.
    await process.ready(READY_WITHIN_MS).catch(() => undefined);
  }
}

async function restart(world: World, process: SuretyProcess): Promise<void> {
  await world.locks.hold([lockOf(process)], async () => {
    await process.stop();
    process.launch();
  });
}
