import type { Session } from '@surety/db';
import { judgeLag } from './lag.js';
import type { Behind } from './lag.js';
import type { CheckScope } from './scope.js';
import { FINDINGS_MAX, Findings } from './types.js';

/** More than can be arguments of one call, and a statement for each would take minutes. */
const BACKLOG = 200_000;

describe('rows of a projector that has stood still for long', () => {
  it('are told as far as there is room, and looked up by lists', async () => {
    const { scope, statements } = atRest();
    const findings = new Findings();
    await judgeLag(scope, backlog(BACKLOG), findings);
    expect(findings.list).toHaveLength(FINDINGS_MAX);
    expect(findings.isCut).toBe(true);
    expect(findings.notes).toEqual([]);
    expect(statements()).toBe(BACKLOG / 500);
  });
});

/** A system at rest whose live shard has no row of any projection. */
function atRest(): { scope: CheckScope; statements: () => number } {
  let statements = 0;
  const empty = { rows: [], affectedRows: 0, insertId: 0n };
  const shard: Session = {
    id: 0,
    send: (packet) => {
      statements += packet.length;
      return Promise.resolve(packet.map(() => empty));
    },
  };
  const scope: Pick<CheckScope, 'count' | 'liveShard' | 'projectionPatienceMs'> = {
    count: () => Promise.resolve(0),
    liveShard: () => shard as ReturnType<CheckScope['liveShard']>,
    projectionPatienceMs: 0,
  };
  return { scope: scope as CheckScope, statements: () => statements };
}

function backlog(rows: number): Behind[] {
  return Array.from({ length: rows }, (_, at) => {
    const id = `account-${at}`;
    const finding = { shard: 0, key: `balances ${id}`, problem: 'is behind at rest', detail: {} };
    return { finding, shard: 0, table: 'balances', id, version: 1n };
  });
}
