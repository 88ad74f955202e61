import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AccountStatusCommand } from '@surety/domain';
import { MemoryShardStore, anOpening } from '@surety/testing';
import { changeAccountStatus } from './account-status.js';
import type { AccountStatusResult } from './account-status.js';
import { openAccounts } from './open-accounts.js';

describe('freezing an account', () => {
  let store: MemoryShardStore;

  function change(
    command: AccountStatusCommand,
    accountId: string = 'A',
  ): Promise<AccountStatusResult> {
    const audit = { via: 'operator', reason: 'fraud desk' };
    return changeAccountStatus(store, { accountId, command, actor: 'operator:ann', audit });
  }

  beforeEach(async () => {
    store = new MemoryShardStore(0, () => 0);
    await openAccounts(store, [anOpening('A')]);
  });

  it('changes the status and nothing else, and leaves a line of who, why, before and after', async () => {
    const before = store.rows.accounts.get('A')!;
    expect(await change('freeze')).toEqual({
      outcome: { kind: 'changed', status: 'frozen' },
      before: 'open',
    });
    expect(store.rows.accounts.get('A')).toEqual({ ...before, status: 'frozen' });
    expect(store.rows.audit).toEqual([
      {
        ...{ actor: 'operator:ann', action: 'operator.freeze', accountId: 'A' },
        ...{ slot: before.slot, reason: 'fraud desk' },
        ...{ before: { status: 'open' }, after: { status: 'frozen' } },
      },
    ]);
  });

  it('twice changes it once', async () => {
    await change('freeze');
    expect(await change('freeze')).toEqual({ outcome: { kind: 'unchanged' }, before: 'frozen' });
    expect(store.rows.audit).toHaveLength(1);
  });

  it('is taken back by unfreezing', async () => {
    const before = store.rows.accounts.get('A');
    await change('freeze');
    await change('unfreeze');
    expect(store.rows.accounts.get('A')).toEqual(before);
    expect(store.rows.audit.map(({ action }) => action)).toEqual([
      'operator.freeze',
      'operator.unfreeze',
    ]);
  });

  it('that does not exist changes nothing', async () => {
    const { outcome, before } = await change('freeze', 'nobody');
    expect([outcome, before]).toEqual([{ kind: 'refused', because: 'account_not_found' }, null]);
    expect(store.rows.audit).toEqual([]);
  });
});
