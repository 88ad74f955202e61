import { Writable } from 'node:stream';
import { createLogger } from '@surety/runtime';
import type { Logger } from '@surety/runtime';

export interface RecordedLine {
  readonly level: string;
  readonly message: string;
}

export interface RecordedLog {
  readonly log: Logger;
  /** What was logged, oldest first. A spec empties it between its cases. */
  readonly lines: RecordedLine[];
}

/** For a spec that looks at what was logged. Lines below the level are left out, as in a process. */
export function recordedLog(level: string): RecordedLog {
  const lines: RecordedLine[] = [];
  const log = createLogger({ process: 'spec', instance: 'spec', level });
  log.clear();
  log.pipe(
    new Writable({
      objectMode: true,
      write: (line: RecordedLine, _encoding, done) => {
        if (log.isLevelEnabled(line.level)) lines.push(line);
        done();
      },
    }),
  );
  return { log, lines };
}
