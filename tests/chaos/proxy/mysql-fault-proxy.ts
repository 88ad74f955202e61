import { PacketFramer, errorPacket } from './packet-framer.js';
import type { Judge } from './proxied-connection.js';
import { TcpProxy } from './tcp-proxy.js';
import type { ProxyOptions } from './tcp-proxy.js';

export interface StatementFault {
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
  /** From 0 (none) to 1 (all): how many of the statements that match are failed. */
  readonly share: number;
  /** Which statements; those that write where it is left out. Executes of prepared ones match. */
  readonly matching?: RegExp;
}

type Failure = Omit<StatementFault, 'share' | 'matching'>;

/** What MySQL and MariaDB say, for the errors that an environment brings about. */
export const STATEMENT_FAILURES = {
  diskFull: {
    errno: 1021,
    sqlState: 'HY000',
    message: 'Disk full (/tmp/#sql); waiting for someone to free some space... (errno: 28)',
  },
  readOnlyOption: {
    errno: 1290,
    sqlState: 'HY000',
    message:
      'The MySQL server is running with the --read-only option so it cannot execute this statement',
  },
  readOnlyMode: { errno: 1836, sqlState: 'HY000', message: 'Running in read-only mode' },
  deadlock: {
    errno: 1213,
    sqlState: '40001',
    message: 'Deadlock found when trying to get lock; try restarting transaction',
  },
  lockWait: {
    errno: 1205,
    sqlState: 'HY000',
    message: 'Lock wait timeout exceeded; try restarting transaction',
  },
} as const satisfies Record<string, Failure>;

const COM_QUERY = 0x03;
const COM_STMT_PREPARE = 0x16;
const COM_STMT_EXECUTE = 0x17;
const WRITES = /\b(?:insert|update|delete|replace)\b/i;

/**
 * Answers a share of the statements with an error in the server's place. Nothing of a failed packet
 * reaches the server, be it one statement or many: what was done before it in the same transaction
 * stays open there until the client rolls back or goes.
 */
export class MySqlFaultProxy extends TcpProxy {
  #fault: StatementFault | undefined;

  static override async listen(options: ProxyOptions): Promise<MySqlFaultProxy> {
    const proxy = new MySqlFaultProxy(options);
    await proxy.listenOn(options.port);
    return proxy;
  }

  /** From now on, until it is called again; without a fault every statement reaches the server. */
  failStatements(fault?: StatementFault): void {
    this.#fault = fault;
  }

  protected override judge(): Judge {
    const framer = new PacketFramer();
    return (piece) => {
      const forward: Buffer[] = [];
      const answers: Buffer[] = [];
      for (const { bytes, command } of framer.push(piece)) {
        const fault = command ? this.#faultFor(command) : undefined;
        if (fault) answers.push(errorPacket(fault));
        else forward.push(bytes);
      }
      this.counters.statementsFailed += answers.length;
      return { forward, answers };
    };
  }

  #faultFor(command: Buffer): StatementFault | undefined {
    const fault = this.#fault;
    if (!fault || !matches(command, fault.matching ?? WRITES)) return undefined;
    return this.random() < fault.share ? fault : undefined;
  }
}

function matches(command: Buffer, pattern: RegExp): boolean {
  const kind = command[0];
  if (kind === COM_STMT_EXECUTE) return true;
  const hasText = kind === COM_QUERY || kind === COM_STMT_PREPARE;
  return hasText && pattern.test(command.toString('latin1', 1));
}
