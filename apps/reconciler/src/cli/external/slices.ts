import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { CliError } from '../output.js';
import type { FileRow, LedgerRow } from './rows.js';

/** Rows are spread over so many slices by their key; one slice at a time is matched in memory. */
export const SLICES = 64;
/** Rows of one slice: bounds the memory to some 100 MB, and a file to some millions of rows. */
export const SLICE_ROWS_MAX = 200_000;
/** What is gathered before it is written out. */
const BUFFERED_CHARACTERS_MAX = 8 * 1024 * 1024;

export interface SliceLimits {
  readonly sliceRowsMax: number;
  readonly bufferedMax: number;
}

const LIMITS: SliceLimits = {
  sliceRowsMax: SLICE_ROWS_MAX,
  bufferedMax: BUFFERED_CHARACTERS_MAX,
};

/**
 * Both sides of a match, cut by the hash of their keys, so that rows that may belong together lie in
 * the same slice and memory holds one slice instead of a year. What does not fit into the buffer
 * lies in files that only this user may read; `remove` takes them away.
 */
export class Slices {
  readonly #limits: SliceLimits;
  readonly #counts = new Array<number>(SLICES).fill(0);
  #buffers = new Array<string>(SLICES).fill('');
  #buffered = 0;
  #directory: string | undefined;

  constructor(limits: SliceLimits = LIMITS) {
    this.#limits = limits;
  }

  /** @throws CliError where one slice outgrows its bound, as when a million rows share a key. */
  add(row: FileRow | LedgerRow): void {
    const slice = crc32(row.key) % SLICES;
    const rows = (this.#counts[slice] ?? 0) + 1;
    if (rows > this.#limits.sliceRowsMax) {
      throw new CliError(
        `too much for one match: more than ${this.#limits.sliceRowsMax} rows fall into one ` +
          `of ${SLICES} slices; match a shorter time or a key that differs more`,
      );
    }
    this.#counts[slice] = rows;
    const text = `${encode(row)}\n`;
    this.#buffers[slice] += text;
    this.#buffered += text.length;
    if (this.#buffered > this.#limits.bufferedMax) this.#spill();
  }

  *[Symbol.iterator](): Generator<{ files: FileRow[]; ledgers: LedgerRow[] }> {
    for (let slice = 0; slice < SLICES; slice += 1) {
      const rows = this.#textOf(slice).split('\n').filter(Boolean).map(decode);
      yield {
        files: rows.filter((row) => row.side === 'file'),
        ledgers: rows.filter((row) => row.side === 'ledger'),
      };
    }
  }

  remove(): void {
    if (this.#directory) rmSync(this.#directory, { recursive: true, force: true });
  }

  #textOf(slice: number): string {
    const file = this.#fileOf(slice);
    const spilled = file && existsSync(file) ? readFileSync(file, 'utf8') : '';
    return spilled + (this.#buffers[slice] ?? '');
  }

  #fileOf(slice: number): string | undefined {
    return this.#directory && join(this.#directory, `${slice}.jsonl`);
  }

  #spill(): void {
    // mkdtemp makes a directory for this user alone.
    this.#directory ??= mkdtempSync(join(tmpdir(), 'surety-match-'));
    for (const [slice, text] of this.#buffers.entries()) {
      if (text) appendFileSync(this.#fileOf(slice) as string, text, { mode: 0o600 });
    }
    this.#buffers = new Array<string>(SLICES).fill('');
    this.#buffered = 0;
  }
}

function encode(row: FileRow | LedgerRow): string {
  return JSON.stringify({ ...row, minor: row.minor.toString() });
}

function decode(line: string): FileRow | LedgerRow {
  const stored = JSON.parse(line) as { readonly minor: string };
  return { ...stored, minor: BigInt(stored.minor) } as FileRow | LedgerRow;
}
