import type { Topic } from '@surety/contracts';
import { sleep } from '@surety/runtime';
import type { ProcessName } from '@surety/testing/system';
import { Redis } from 'ioredis';
import { Broker, GROUPS_OF_PROCESSES } from './broker.js';
import type { PlannedFault } from './plan.js';
import type { World } from './world.js';

function lockOf(server: string): string {
  return `server ${server}`;
}

/** kill -9, then started again on the same data. */
export async function killServer(world: World, { target, lengthMs }: PlannedFault): Promise<void> {
  const { control } = world.system;
  await world.locks.hold([lockOf(target)], async () => {
    await control.kill(target);
    await sleep(lengthMs);
    await control.restart(target);
  });
}

export async function flushRedis({ system, locks }: World): Promise<void> {
  await locks.hold([lockOf('redis')], async () => {
    const redis = new Redis(system.servers.redisUrl);
    try {
      await redis.flushall();
    } finally {
      redis.disconnect();
    }
  });
}

export async function remakeTopic(world: World, { target, lengthMs }: PlannedFault): Promise<void> {
  const { system, locks } = world;
  await locks.hold([lockOf('kafka')], () =>
    new Broker(system.servers.broker).remakeTopic(target as Topic, () => sleep(lengthMs)),
  );
}

/** The members leave, the group is forgotten, and they begin with the oldest messages again. */
export async function expireOffsets(world: World, { target }: PlannedFault): Promise<void> {
  const { system, locks } = world;
  const found = GROUPS_OF_PROCESSES[target as ProcessName];
  if (!found) throw new Error(`${target} is in no group`);
  const members = system.instances(target as ProcessName);
  const targets = [...members.map((one) => `process ${one.instance}`), lockOf('kafka')];
  await locks.hold(targets, async () => {
    await Promise.all(members.map((member) => member.stop()));
    try {
      await new Broker(system.servers.broker).forgetGroup(found.group);
    } finally {
      for (const member of members) member.launch();
    }
  });
}
