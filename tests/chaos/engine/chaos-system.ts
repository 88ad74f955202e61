import { SuretySystem } from '@surety/testing/system';
import type { ServerKind, SuretyProcess } from '@surety/testing/system';
import { INSTANCES_OF_EACH, SERVERS } from './plan.js';
import { TargetLocks } from './target-locks.js';
import { Wires } from './wires.js';
import { everyProcess } from './world.js';

export interface ChaosSystemOptions {
  readonly seed: number;
  readonly engine: ServerKind;
  readonly holdTimeoutMs: number;
  readonly directory?: string;
}

const READY_WITHIN_MS = 90_000;

/** Two shards, each on its own server, two of every process, a proxy in front of every server. */
export class ChaosSystem {
  readonly system: SuretySystem;
  readonly wires: Wires;
  readonly locks = new TargetLocks();

  private constructor(system: SuretySystem, wires: Wires) {
    this.system = system;
    this.wires = wires;
  }

  static async start(options: ChaosSystemOptions): Promise<ChaosSystem> {
    const wires = new Wires(options.seed);
    try {
      const system = await SuretySystem.start({
        servers: 'separate',
        shards: 2,
        engine: options.engine,
        instances: INSTANCES_OF_EACH,
        front: wires.front,
        ...(options.directory === undefined ? {} : { directory: options.directory }),
        environment: {
          HOLD_TIMEOUT: `${options.holdTimeoutMs}ms`,
          SURETY_STALL_TIMEOUT: '3s',
          SURETY_RECONCILE_INTERVAL: '1s',
          SURETY_CHECK_INTERVAL: '20s',
        },
      });
      return new ChaosSystem(system, wires);
    } catch (error) {
      await wires.close();
      throw error;
    }
  }

  get baseUrls(): string[] {
    return this.system.instances('ingress').map((one) => one.adminUrl);
  }

  get processes(): SuretyProcess[] {
    return everyProcess(this);
  }

  /** Every wire passes and every server is up; the processes find out by themselves. */
  async heal(): Promise<void> {
    this.wires.heal();
    // A fault that went wrong may have left a server down; one that is up stays as it is.
    const targets = SERVERS.map((server) => `server ${server}`);
    await this.locks.hold(targets, () =>
      Promise.all(SERVERS.map((server) => this.system.control.revive(server))),
    );
  }

  async ready(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.ready(READY_WITHIN_MS)));
  }

  async stop(): Promise<void> {
    await this.system.stop();
    await this.wires.close();
  }
}
