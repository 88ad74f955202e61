import type { ListeningDoorbell } from '@surety/runtime';
import type { Life } from './process.js';

const DELAY_MS = { least: 0, most: 50 };

interface Listening {
  readonly life: Life;
  readonly listener: (payload: string) => void;
}

/** Rings that take their time and can get lost, which nobody is told. */
export class SimulatedBell {
  readonly #listening = new Map<string, Set<Listening>>();

  doorbellFor(life: Life): ListeningDoorbell {
    return {
      isListening: true,
      onDeaf: () => () => undefined,
      ring: (channel, payload = '') => {
        this.#ring(life, channel, payload);
      },
      subscribe: async (channel, listener) => {
        const one = { life, listener };
        const all = this.#listening.get(channel) ?? new Set();
        this.#listening.set(channel, all.add(one));
        return () => all.delete(one);
      },
      close: async () => undefined,
    };
  }

  #ring(from: Life, channel: string, payload: string): void {
    const { faults, random } = from.kernel;
    const all = this.#listening.get(channel) ?? new Set();
    for (const one of all) {
      if (one.life.isOver) all.delete(one);
      else if (!faults.strikes('lost_ring')) {
        one.life.later(random.between(DELAY_MS.least, DELAY_MS.most), () => {
          one.listener(payload);
        });
      }
    }
  }
}
