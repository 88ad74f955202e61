import { answersIn } from './batch-lines.js';
import type { JournalAnswer } from './journal.js';
import type { Reply, TransferWish } from './journaled-client.js';
import { TransferStory, untilAnswered } from './transfer-story.js';
import type { StoryWorld } from './transfer-story.js';
import type { MemberWish } from './wishes.js';

/** A batch from its first request until each of its members has ended. */
export class BatchStory {
  readonly #world: StoryWorld;
  readonly #name: string;
  readonly #members: readonly MemberWish[];
  /** Members that nobody has told what became of them. */
  readonly #untold: Set<MemberWish>;
  readonly #stories: Promise<void>[] = [];
  #sent = 0;

  constructor(world: StoryWorld, name: string, members: readonly MemberWish[]) {
    this.#world = world;
    this.#name = name;
    this.#members = members;
    this.#untold = new Set(members);
  }

  async tell(): Promise<void> {
    const { counts } = this.#world;
    counts.batches += 1;
    counts.members += this.#members.length;
    counts.submitted += this.#members.filter(({ role }) => role === 'new').length;
    const asks = [this.#untilTold(1)];
    if (this.#oneIn(20)) asks.push(this.#untilTold(101));
    await Promise.all(asks);
    if (this.#oneIn(15)) await this.#untilTold(201);
    await Promise.all(this.#stories);
  }

  /** A member that was told to come again makes the batch come again, as no answer at all does. */
  async #untilTold(firstAttempt: number): Promise<void> {
    const ask = async (via: string, attempt: number): Promise<Reply> => {
      const part = this.#partFor(attempt - firstAttempt);
      const reply = await this.#submit(via, part, attempt);
      return reply.kind === 'answered' && this.#untold.size > 0 ? { ...reply, status: 503 } : reply;
    };
    await untilAnswered(this.#world, ask, firstAttempt);
  }

  /** The whole batch; when it comes again, one time in three only what is left of it. */
  #partFor(retries: number): readonly MemberWish[] {
    const isPart = retries > 0 && this.#untold.size > 0 && this.#oneIn(3);
    return isPart ? [...this.#untold] : this.#members;
  }

  async #submit(via: string, part: readonly MemberWish[], attempt: number): Promise<Reply> {
    const { client, counts } = this.#world;
    this.#sent += 1;
    if (this.#sent > 1) counts.batchesSentAgain += 1;
    const reply = await client.submitBatch(via, this.#name, part, attempt);
    if (reply.kind === 'unknown') return reply;
    const answers = answersIn(reply, part.length);
    for (const [at, member] of part.entries()) this.#told(member, answers[at] as JournalAnswer);
    return reply;
  }

  /** Only the first answer that says something begins what follows from it. */
  #told(member: MemberWish, answer: JournalAnswer): void {
    if (!('status' in answer) || answer.status >= 500) return;
    if (this.#untold.delete(member)) this.#goOnWith(member, answer.status, answer.body);
  }

  #goOnWith(member: MemberWish, status: number, body: Readonly<Record<string, unknown>>): void {
    const { counts } = this.#world;
    const { transactionId } = body;
    const { role, key, wish } = member;
    if (role === 'used key' && status === 422) counts.reusesRefused += 1;
    else if (role === 'bad request' && status === 400) {
      counts.badRequestsRefused += 1;
      // A refused request leaves its key free.
      if (this.#oneIn(2)) this.#begin(this.#storyOf(key, member.meant).tell());
    } else if (role === 'new' && status === 202 && typeof transactionId === 'string') {
      this.#begin(this.#storyOf(key, wish).follow(transactionId));
    }
  }

  #storyOf(key: string, wish: TransferWish): TransferStory {
    return new TransferStory(this.#world, key, wish);
  }

  #begin(story: Promise<void>): void {
    this.#stories.push(this.#world.begin(story));
  }

  #oneIn(bound: number): boolean {
    return this.#world.chance.below(bound) === 0;
  }
}
