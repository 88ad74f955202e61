import type { Life } from '@surety/testing/simulation';
import type { Api } from './ingress-process.js';

const TRAVEL_MS = { least: 1, most: 30 };
const PATIENCE_MS = { least: 1_000, most: 12_000 };

/** No answer came: the request may have been carried out or not. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** The way from clients to whichever ingress is there: requests and answers can get lost on it. */
export class FrontDoor {
  readonly #open = new Map<string, { readonly life: Life; readonly api: Api }>();

  open(life: Life, api: Api): void {
    this.#open.set(life.process.name, { life, api });
  }

  /** @throws NoAnswer, or what the ingress answers with */
  async call<T>(client: Life, ask: (api: Api) => Promise<T>): Promise<T> {
    const { faults, random } = client.kernel;
    const { life, api } = random.pick([...this.#open.values()]);
    await client.roundTrip();
    if (life.isOver) throw new NoAnswer('connection refused');
    const isRequestLost = faults.strikes('lost_request');
    const isAnswerLost = faults.strikes('lost_answer');
    return new Promise<T>((resolve, reject) => {
      const forget = client.later(random.between(PATIENCE_MS.least, PATIENCE_MS.most), () => {
        reject(new NoAnswer('no answer in time'));
      });
      const answer = (settle: () => void): void => {
        if (isAnswerLost) return;
        client.later(random.between(TRAVEL_MS.least, TRAVEL_MS.most), () => {
          forget();
          settle();
        });
      };
      if (isRequestLost) return;
      life.later(random.between(TRAVEL_MS.least, TRAVEL_MS.most), () => {
        const asked = ask(api);
        const deliver = (): void => {
          answer(() => {
            resolve(asked);
          });
        };
        asked.then(deliver, deliver);
      });
    });
  }
}
