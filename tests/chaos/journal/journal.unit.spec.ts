import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal, readJournal } from './journal.js';
import type { JournalLine } from './journal.js';

describe('a journal', () => {
  let directory: string;
  let journal: Journal;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'journal-'));
    journal = new Journal(join(directory, 'deeper', 'journal.jsonl'));
  });

  afterEach(() => {
    journal.close();
    rmSync(directory, { recursive: true });
  });

  const asked = {
    op: 'submit',
    attempt: 1,
    key: 'k1',
    via: 'http://one',
    request: { amount: '1.00' },
  } as const;

  async function lines(): Promise<JournalLine[]> {
    const all: JournalLine[] = [];
    for await (const line of readJournal(journal.file)) all.push(line);
    return all;
  }

  it('has a call in the file before the call is made', () => {
    journal.asked(asked);
    expect(readFileSync(journal.file, 'utf8')).toMatch(/^\{"call":1,.*"amount":"1.00".*\}\n$/);
  });

  it('joins what was asked and what was answered by the number of the call', async () => {
    const first = journal.asked(asked);
    const second = journal.asked({ ...asked, attempt: 2 });
    journal.answered(second, { ...asked, attempt: 2 }, { unknown: 'ECONNRESET' });
    const body = { transactionId: 't1', status: 'requested' };
    journal.answered(first, asked, { status: 202, body });
    expect(await lines()).toMatchObject([
      { call: 1, key: 'k1', request: { amount: '1.00' } },
      { call: 2, attempt: 2, request: { amount: '1.00' } },
      { call: 2, attempt: 2, answer: { unknown: 'ECONNRESET' } },
      { call: 1, transferId: 't1', answer: { status: 202, body } },
    ]);
  });

  it('takes nothing more once it is closed', async () => {
    journal.asked(asked);
    journal.close();
    journal.asked(asked);
    expect(await lines()).toHaveLength(1);
  });
});
