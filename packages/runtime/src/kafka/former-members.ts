import { PartitionAssigners } from 'kafkajs';
import type { Broker, Cluster, PartitionAssigner } from 'kafkajs';

/** What the library's connection to a coordinator can do beyond what its types tell. */
interface Coordinator extends Broker {
  leaveGroup(member: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
}

/**
 * The library keeps its connections to itself, but for one door: what assigns partitions is given
 * the consumer's own cluster. The assigner that comes out of here is the library's usual one.
 */
export class GroupDoor {
  readonly assigner: PartitionAssigner;
  private cluster: Cluster | undefined;

  constructor() {
    this.assigner = (config) => {
      this.cluster = config.cluster;
      return PartitionAssigners.roundRobin(config);
    };
  }

  /**
   * Takes out of the group whoever is in it under this client's name: a member that was killed, or
   * lost its connection, and whose partitions would otherwise lie still until its session is over.
   * A name belongs to one instance (SURETY_INSTANCE), and this instance has not joined yet. Should two
   * live instances share a name all the same, the other one is told so and joins again.
   *
   * Any version of Kafka lets a member be signed off by its id; static membership, which would keep
   * the partitions for the next start instead, the library does not have.
   * @returns how many there were
   */
  async signOffFormer(groupId: string, clientId: string): Promise<number> {
    if (this.cluster === undefined) return 0;
    const coordinator = await this.cluster.findGroupCoordinator({ groupId });
    if (!canSignOff(coordinator)) return 0;
    const members = membersOf(await coordinator.describeGroups({ groupIds: [groupId] }));
    const former = members.filter((member) => member.clientId === clientId);
    for (const { memberId } of former) await coordinator.leaveGroup({ groupId, memberId });
    return former.length;
  }
}

function canSignOff(broker: Broker): broker is Coordinator {
  return 'leaveGroup' in broker && typeof broker.leaveGroup === 'function';
}

function membersOf(description: unknown): readonly GroupMember[] {
  const { groups } = description as { groups: readonly { members: readonly GroupMember[] }[] };
  return groups.flatMap((group) => group.members);
}
