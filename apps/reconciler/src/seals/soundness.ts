import { readEnvelope, readPlainShortForm } from '@surety/contracts';
import { isSystemAccountId } from '@surety/domain';
import type { AccountId } from '@surety/domain';
import type {
  CrowdedNumber,
  PostedEntry,
  Posting,
  StepEntry,
  StoredLeg,
  UnsealedAccount,
} from '@surety/db';
import { crowdProblem } from './read-batch.js';
import type { AccountEntries } from './read-batch.js';

/** Why an entry, or the place of one, must not be sealed. */
export interface Fault {
  readonly account: AccountId;
  readonly entrySeq: bigint;
  /** undefined where no row is left to tell. */
  readonly transferId: string | undefined;
  readonly step: number | undefined;
  /** Whether the row is there and should not be, is not there, or is not what it was. */
  readonly kind: 'altered' | 'removed' | 'inserted';
  readonly problem: string;
  readonly detail: Readonly<Record<string, string | null>>;
}

export function stepKey({ transferId, step }: { transferId: string; step: number }): string {
  return `${transferId}/${step}`;
}

/**
 * Goes along the entries of one account, piece by piece: numbered without a gap, each balance the one
 * before plus the amount, each step whole and told by its event and its decision or transfer, and the
 * account where its last entry is.
 */
export class AccountWalk {
  readonly #account: UnsealedAccount;
  #balance: bigint;

  constructor(account: UnsealedAccount) {
    this.#account = account;
    this.#balance = account.sealed?.balance ?? 0n;
  }

  /** After the last entry that was walked. */
  get balance(): bigint {
    return this.#balance;
  }

  /** The next piece: what was found of these numbers. Both ends are included. */
  take(
    range: { readonly firstSeq: bigint; readonly lastSeq: bigint },
    { entries, crowded }: AccountEntries<PostedEntry>,
  ): Fault[] {
    const faults: Fault[] = [];
    let at = 0;
    for (let seq = range.firstSeq; seq <= range.lastSeq; seq += 1n) {
      const from = at;
      while (entries[at]?.entrySeq === seq) at += 1;
      const crowd = crowded.find(({ entrySeq }) => entrySeq === seq);
      if (crowd) faults.push(crowdFault(crowd));
      else faults.push(...this.#number(seq, entries.slice(from, at)));
    }
    if (range.lastSeq === this.#account.entrySeq && faults.length === 0) {
      faults.push(...this.#endFaults());
    }
    return faults;
  }

  /** Goes on to the entry of a number; of several, to the first. */
  #number(seq: bigint, entries: readonly PostedEntry[]): Fault[] {
    const [entry, ...more] = entries;
    if (!entry) return [missing(this.#account.id, seq)];
    const problems = more.length === 0 ? this.#problems(entry) : [];
    this.#balance = ownLeg(entry)?.balanceAfter ?? this.#balance;
    if (more.length === 0) return problems.map((problem) => faultOf(entry, 'altered', problem));
    const problem = `${entries.length} entries have this number`;
    return entries.map((one) => faultOf(one, 'inserted', { problem }));
  }

  #problems(entry: PostedEntry): readonly Problem[] {
    const own = ownLeg(entry);
    if (!own) return [{ problem: 'the entry is none of its step' }];
    const { posting } = entry;
    const found = [...this.#runs(own), ...stepProblems(entry, this.#account)];
    return [...found, ...(posting ? eventProblems(own, posting) : [NO_EVENT])];
  }

  #runs({ minor, balanceAfter }: StoredLeg): Problem[] {
    const expected = this.#balance + minor;
    if (balanceAfter === expected) return [];
    return [
      {
        problem: 'balance_after is not the one before plus the amount',
        detail: {
          amount: minor.toString(),
          balanceAfter: balanceAfter?.toString() ?? null,
          before: this.#balance.toString(),
        },
      },
    ];
  }

  #endFaults(): Fault[] {
    const { id, entrySeq, balance } = this.#account;
    if (balance === this.#balance) return [];
    return [
      {
        account: id,
        entrySeq,
        transferId: undefined,
        step: undefined,
        kind: 'altered',
        problem: 'the account has another balance than its last entry',
        detail: { balance: balance.toString(), balanceAfter: this.#balance.toString() },
      },
    ];
  }
}

interface Problem {
  readonly problem: string;
  readonly detail?: Readonly<Record<string, string | null>>;
}

const NO_EVENT: Problem = { problem: 'its step has no event' };

export function ownLeg(entry: StepEntry): StoredLeg | undefined {
  const { leg, legs } = entry;
  return legs[leg]?.leg === leg ? legs[leg] : legs.find((one) => one.leg === leg);
}

function missing(account: AccountId, entrySeq: bigint): Fault {
  return {
    account,
    entrySeq,
    transferId: undefined,
    step: undefined,
    kind: 'removed',
    problem: 'no entry has this number',
    detail: {},
  };
}

function crowdFault(crowd: CrowdedNumber): Fault {
  const { account, entrySeq, transferId, step } = crowd;
  return { account, entrySeq, transferId, step, kind: 'inserted', ...crowdProblem(crowd) };
}

function faultOf(entry: StepEntry, kind: Fault['kind'], { problem, detail = {} }: Problem): Fault {
  const { account, entrySeq, transferId, step } = entry;
  return { account, entrySeq, transferId, step, kind, problem, detail };
}

/** What every step that posts keeps: legs numbered from 0, of one slot and currency, sum zero. */
function stepProblems({ legs }: StepEntry, account: UnsealedAccount): Problem[] {
  const sum = legs.reduce((total, { minor }) => total + minor, 0n);
  const problems: Problem[] = [];
  if (sum !== 0n) {
    problems.push({
      problem: 'the legs of its step do not sum to zero',
      detail: { sum: sum.toString(), legs: String(legs.length) },
    });
  }
  const { slot, currency } = account;
  if (legs.some((leg) => leg.slot !== slot || leg.currency !== currency)) {
    problems.push({ problem: 'the legs of its step mix slots or currencies' });
  }
  if (legs.some((leg, number) => leg.leg !== number)) {
    problems.push({ problem: 'the legs of its step are not numbered without a gap' });
  }
  if (legs.some((leg) => isSystemAccountId(leg.account) !== (leg.entrySeq === null))) {
    problems.push({ problem: 'a leg of its step has a number that is not its own to have' });
  }
  return problems;
}

/** Where an event of this type posts, the row that must say the same. */
function rowBehind({ type, behind }: Posting): bigint | undefined {
  const isPosted = type === 'credited' || type === 'committed';
  return isPosted && behind?.state === type ? behind.minor : undefined;
}

/** Whether event, row and leg say the same. */
function isTold(own: StoredLeg, posting: Posting): boolean {
  const minor = rowBehind(posting);
  const amount = own.minor < 0n ? -own.minor : own.minor;
  if (minor !== amount) return false;
  const told = toldBy(posting.envelope, own.account);
  const balance = own.balanceAfter?.toString() ?? null;
  return told.amount === amount.toString() && told.balance === balance;
}

function eventProblems(own: StoredLeg, posting: Posting): Problem[] {
  if (isTold(own, posting)) return [];
  const minor = rowBehind(posting);
  if (minor === undefined) {
    return [
      { problem: `no ${posting.type === 'credited' ? 'decision' : 'transfer'} says the same` },
    ];
  }
  const balance = own.balanceAfter?.toString() ?? null;
  const told = toldBy(posting.envelope, own.account);
  return [
    {
      problem: 'contradicts its event',
      detail: {
        amount: own.minor.toString(),
        balanceAfter: balance,
        eventAmount: told.amount,
        eventBalance: told.balance,
        rowAmount: minor.toString(),
      },
    },
  ];
}

interface Told {
  readonly amount: string | null;
  readonly balance: string | null;
}

function toldBy(envelope: string, account: AccountId): Told {
  const plain = readPlainShortForm(envelope);
  if (plain) {
    const isOwn = plain.account?.id === account;
    return { amount: plain.amount, balance: isOwn ? (plain.account?.balance ?? null) : null };
  }
  try {
    const { accounts, data } = readEnvelope(envelope);
    const balance = accounts.find(({ id }) => id === account)?.balance;
    return { amount: data.amount, balance: balance ?? null };
  } catch {
    // An envelope that cannot be read tells nothing, and the entry stays unsealed for it.
    return { amount: null, balance: null };
  }
}
