import { MessageHandler, StepRunner, WORKER_STEPS } from '@surety/workers';
import type { DeadLetters } from '@surety/workers';
import type { Life, SimulatedShard } from '@surety/testing/simulation';
import { NO_METRICS, watchfulLog } from './silence.js';
import { HOLD_TIMEOUT_MS } from './world.js';
import type { World } from './world.js';

/** The workers' handler and the runners behind it, one for each shard. */
export function worker(world: World, chainsLocally: boolean): (life: Life) => Promise<void> {
  return async (life) => {
    const slotMaps = world.slotMaps(life);
    const { clock } = life;
    const shared = { clock, slotMaps, metrics: NO_METRICS, log: watchfulLog(life) };
    const runnerOf = (shard: SimulatedShard): Pick<StepRunner, 'submit'> => {
      const runner = new StepRunner({
        ...shared,
        store: world.store(life, shard, slotMaps),
        deadLetters: deadLettersOf(life),
        step: { holdTimeoutMs: HOLD_TIMEOUT_MS, actor: 'saga' },
        chainsLocally,
        doorbell: world.bell.doorbellFor(life),
      });
      return world.has('chain_onto_another_shard') ? everythingIsHere(runner, shard) : runner;
    };
    const handler = new MessageHandler({
      ...shared,
      steps: WORKER_STEPS,
      partitions: 16,
      runners: new Map(world.shards.map((shard) => [shard.id, runnerOf(shard)])),
      deadLettersOf: () => deadLettersOf(life),
    });
    await world.workers.consume(life, (batch) => handler.handle(batch));
  };
}

/** No message of these histories fails for its own sake. */
function deadLettersOf(life: Life): DeadLetters {
  return {
    insert: async ({ eventId, error }) => {
      life.kernel.broken(`${life.process.name} buries ${eventId ?? 'a message'}: ${error}`);
    },
  };
}

function everythingIsHere(runner: StepRunner, { id }: SimulatedShard): Pick<StepRunner, 'submit'> {
  return {
    submit: (item) => {
      const map = { epoch: item.map.epoch, ranges: [{ fromSlot: 0, shard: id }] };
      return runner.submit({ ...item, map });
    },
  };
}
