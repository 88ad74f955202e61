import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { calmTimers, libraryRequestQueue } from './calm-timers.js';
import type { RequestQueue } from './calm-timers.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

interface SentRequest {
  readonly sendRequest: jest.Mock;
  readonly entry: { readonly correlationId: number; readonly reject: jest.Mock };
}

type Queue = RequestQueue & {
  push(request: SentRequest & { readonly expectResponse: boolean }): void;
  maybeThrottle(ms: number): void;
  fulfillRequest(response: { correlationId: number; payload: unknown; size: number }): void;
};

type QueueClass = new (options: Record<string, unknown>) => Queue;

/** A queue of the library itself, with our timers. */
function newQueue(options: { requestTimeout?: number; maxInFlightRequests?: number } = {}): Queue {
  const { prototype } = libraryRequestQueue();
  calmTimers(prototype);
  const Library = prototype.constructor as unknown as QueueClass;
  return new Library({
    ...{ requestTimeout: 10_000, maxInFlightRequests: null, ...options },
    ...{ enforceRequestTimeout: true, clientId: 'spec', broker: 'nowhere:1' },
    logger: { debug: ignore, warn: ignore },
    isConnected: () => true,
  });
}

function ignore(): void {
  return undefined;
}

function request(correlationId: number): SentRequest & { readonly expectResponse: boolean } {
  const entry = { correlationId, resolve: ignore, reject: jest.fn(), apiName: 'Fetch', apiKey: 1 };
  return { entry, expectResponse: true, sendRequest: jest.fn() };
}

test('the pinned library still has the two checks that are replaced', () => {
  const { prototype } = libraryRequestQueue();
  expect(prototype.scheduleCheckPendingRequests).toBeInstanceOf(Function);
  expect(prototype.scheduleRequestTimeoutCheck).toBeInstanceOf(Function);
  expect(prototype.checkPendingRequests).toBeInstanceOf(Function);
  expect(prototype.destroy).toBeInstanceOf(Function);
});

test('a connection on which nothing waits has no timer after an answer', () => {
  const queue = newQueue();
  queue.push(request(1));
  queue.fulfillRequest({ correlationId: 1, payload: {}, size: 0 });
  expect(jest.getTimerCount()).toBe(0);
});

test('what waits for the one under way is sent with its answer', () => {
  const queue = newQueue({ maxInFlightRequests: 1 });
  const second = request(2);
  queue.push(request(1));
  queue.push(second);
  expect(second.sendRequest).not.toHaveBeenCalled();
  queue.fulfillRequest({ correlationId: 1, payload: {}, size: 0 });
  expect(second.sendRequest).toHaveBeenCalledTimes(1);
});

test('what the broker asked to hold back is sent at the end of the silence, without an answer', () => {
  const queue = newQueue();
  queue.maybeThrottle(400);
  const held = request(1);
  queue.push(held);
  jest.advanceTimersByTime(399);
  expect(held.sendRequest).not.toHaveBeenCalled();
  jest.advanceTimersByTime(2);
  expect(held.sendRequest).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});

test.each([
  [10_000, 11_000],
  [2_000, 2_200],
])('a request of %i ms without an answer fails after %i ms at the latest', (timeout, latest) => {
  const queue = newQueue({ requestTimeout: timeout });
  queue.scheduleRequestTimeoutCheck();
  const lost = request(1);
  queue.push(lost);
  jest.advanceTimersByTime(timeout);
  expect(lost.entry.reject).not.toHaveBeenCalled();
  jest.advanceTimersByTime(latest - timeout);
  expect(lost.entry.reject).toHaveBeenCalledTimes(1);
  queue.destroy();
  expect(jest.getTimerCount()).toBe(0);
});
