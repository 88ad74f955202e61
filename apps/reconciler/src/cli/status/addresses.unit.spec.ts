import { describe, expect, it } from '@jest/globals';
import { laggingMessages, stepsOf } from './metrics-page.js';
import { parseProcesses, processAddresses } from './process-addresses.js';

describe('where the processes are', () => {
  it('is what SURETY_PROCESSES says', () => {
    expect(parseProcesses('workers-1=http://10.0.0.5:9100, relay=https://relay:1/,')).toEqual([
      { name: 'workers-1', url: 'http://10.0.0.5:9100' },
      { name: 'relay', url: 'https://relay:1/' },
    ]);
  });

  it.each(['workers', 'workers=10.0.0.5:9100', '=http://x', 'a b=http://x', 'x=http://'])(
    'refuses %j and says which entry',
    (entry) => {
      expect(() => parseProcesses(`ok=http://x:1,${entry}`)).toThrow('entry 2 is not name=http');
    },
  );

  it('is not known where nothing says so', () => {
    const silent = (): void => undefined;
    const host = { environment: {}, directory: '/nowhere', print: silent, printError: silent };
    expect(processAddresses(host)).toEqual([]);
  });
});

describe('the lag of a process', () => {
  it('is the sum over its partitions', () => {
    const page = [
      '# HELP surety_consumer_lag_messages Messages',
      '# TYPE surety_consumer_lag_messages gauge',
      'surety_consumer_lag_messages{topic="to-source",partition="0",process="workers"} 3',
      'surety_consumer_lag_messages{topic="to-source",partition="1",process="workers"} 4',
      'surety_consumer_lag_messages_other{partition="1"} 400',
    ].join('\n');
    expect(laggingMessages(page)).toBe(7);
  });

  it('is nothing where the process reads no partitions', () => {
    expect(laggingMessages('process_cpu_seconds_total 1')).toBeNull();
  });
});

describe('the steps of a process', () => {
  it('are those that it tells of, run or not', () => {
    const page = [
      '# TYPE surety_worker_step_on gauge',
      'surety_worker_step_on{step="hold",process="workers"} 1',
      'surety_worker_step_on{process="workers",step="credit"} 0',
    ].join('\n');
    expect(stepsOf(page)).toEqual({ hold: true, credit: false });
  });

  it('are not known where it is no worker', () => {
    expect(stepsOf('# TYPE surety_worker_step_on gauge\nprocess_cpu_seconds_total 1')).toBeNull();
  });
});
