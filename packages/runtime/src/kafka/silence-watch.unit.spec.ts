import { beforeEach, describe, expect, it } from '@jest/globals';
import { SilenceWatch } from './silence-watch.js';

describe('the watch over a consumer', () => {
  let nowMs: number;
  let watch: SilenceWatch;

  beforeEach(() => {
    nowMs = 5_000;
    watch = new SilenceWatch(() => nowMs);
  });

  /** One tick a second; the last complaint. */
  function pass(seconds: number, each: () => boolean): string | undefined {
    let complaint: string | undefined;
    for (let second = 0; second < seconds; second += 1) {
      nowMs += 1_000;
      complaint = watch.complaint(each());
    }
    return complaint;
  }

  it('is content while fetches are answered', () => {
    const fetching = (): boolean => {
      watch.fetched();
      return true;
    };
    expect(pass(120, fetching)).toBeUndefined();
  });

  it('complains of a consumer whose heartbeats go on while its fetches are not answered', () => {
    const beating = (): boolean => {
      watch.heartbeat();
      return true;
    };
    expect(pass(12, beating)).toBeUndefined();
    expect(pass(1, beating)).toMatch('no fetch was answered');
  });

  it('waits for one that is at work or owns nothing, as long as its heart beats', () => {
    const working = (): boolean => {
      watch.heartbeat();
      return false;
    };
    expect(pass(120, working)).toBeUndefined();
    expect(pass(30, () => false)).toBeUndefined();
    expect(pass(1, () => false)).toMatch('no sign of life');
  });

  it('counts from the end of the work', () => {
    const working = (): boolean => {
      watch.heartbeat();
      return false;
    };
    pass(60, working);
    expect(pass(12, () => true)).toBeUndefined();
    expect(pass(1, () => true)).toMatch('no fetch was answered');
  });

  it('gives a process that slept time to find its feet', () => {
    nowMs += 60_000;
    expect(watch.complaint(true)).toBeUndefined();
    expect(pass(12, () => true)).toBeUndefined();
    expect(pass(1, () => true)).toBeDefined();
  });
});
