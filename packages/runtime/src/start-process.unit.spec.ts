import { describe, expect, it } from '@jest/globals';
import { silentLog } from './spec-support.js';
import { Intake, startProcess, type ProcessKit } from './start-process.js';

const options = {
  ...{ name: 'spec', instance: 'one', logLevel: 'info', stopDeadlineMs: 1_000 },
  log: silentLog(),
};

describe('the intake', () => {
  it('runs only while the consumer is in its group', () => {
    const intake = new Intake();
    expect(() => intake.mustRun()).toThrow('not in the group');
    const consumer = { running: false };
    intake.opened(consumer);
    expect(() => intake.mustRun()).toThrow('not in the group');
    consumer.running = true;
    expect(() => intake.mustRun()).not.toThrow();
  });
});

describe('starting a process', () => {
  it('shows what it was built to show', async () => {
    const running = await startProcess(options, async () => ({ adminPort: 4711 }));
    expect(running.adminPort).toBe(4711);
    await running.stop();
  });

  it('is not stopping until it is asked to, and done when everything is released', async () => {
    const seen: unknown[] = [];
    let kit: ProcessKit | undefined;
    const running = await startProcess(options, async (given) => {
      kit = given;
      given.releasers.push('first', () => void seen.push(['first', given.isStopping()]));
      given.releasers.push('second', () => void seen.push(['second', given.isStopping()]));
      return {};
    });
    void running.done.then(() => seen.push('done'));
    expect(kit?.isStopping()).toBe(false);
    const stopping = running.stop();
    expect(kit?.isStopping()).toBe(true);
    await Promise.all([stopping, running.done]);
    expect(seen).toEqual([['second', true], ['first', true], 'done']);
  });

  it('stops once, however often it is asked to', async () => {
    let releases = 0;
    const running = await startProcess(options, async ({ releasers }) => {
      releasers.push('one', () => void (releases += 1));
      return {};
    });
    await Promise.all([running.stop(), running.stop()]);
    await running.stop();
    expect(releases).toBe(1);
  });

  it('releases what was opened where it cannot start, and says why', async () => {
    const released: string[] = [];
    const starting = startProcess(options, async ({ releasers }) => {
      releasers.push('opened', () => void released.push('opened'));
      throw new Error('the port is taken');
    });
    await expect(starting).rejects.toThrow('the port is taken');
    expect(released).toEqual(['opened']);
  });
});
