import { expect, it } from '@jest/globals';
import { TargetLocks } from './target-locks.js';

/** Runs that say when they began and end only when told. */
function recorder(locks: TargetLocks) {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const hold = (name: string, ...targets: string[]): Promise<void> =>
    locks.hold(targets, () => {
      begun.push(name);
      return new Promise<void>((resolve, reject) => {
        ends.set(name, (error) => (error ? reject(error) : resolve()));
      });
    });
  return { begun, hold, end: (name: string, error?: Error) => ends.get(name)?.(error) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('lets one fault at a time have a target, in the order in which they came', async () => {
  const { begun, hold, end } = recorder(new TargetLocks());
  const runs = [hold('first', 'a'), hold('second', 'a'), hold('elsewhere', 'b')];
  await turn();
  expect(begun).toEqual(['first', 'elsewhere']);
  end('first');
  await turn();
  expect(begun).toEqual(['first', 'elsewhere', 'second']);
  end('second');
  end('elsewhere');
  await Promise.all(runs);
});

it('waits for all of its targets, and goes on after one that failed', async () => {
  const { begun, hold, end } = recorder(new TargetLocks());
  const failing = hold('failing', 'a');
  const other = hold('other', 'b');
  const both = hold('both', 'a', 'b');
  await turn();
  end('failing', new Error('could not be done'));
  await expect(failing).rejects.toThrow('could not be done');
  await turn();
  expect(begun).not.toContain('both');
  end('other');
  await other;
  await turn();
  expect(begun).toContain('both');
  end('both');
  await both;
});
