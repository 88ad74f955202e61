const GAP = '  ';

/** Columns as wide as their widest cell; numbers (bigint, number) stand to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number | bigint | null | undefined)[])[],
): string {
  const texts = rows.map((row) => row.map(cellText));
  // Folded: a call takes some 120,000 arguments, and a list may be longer.
  const widths = headings.map((heading, column) =>
    texts.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), heading.length),
  );
  const isRight = headings.map(
    (_, column) => rows.length > 0 && rows.every((row) => isNumeric(row[column])),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isRight[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(GAP)
      .trimEnd();
  return [line(headings), line(widths.map((width) => '-'.repeat(width))), ...texts.map(line)].join(
    '\n',
  );
}

function cellText(cell: string | number | bigint | null | undefined): string {
  return cell === null || cell === undefined ? '' : String(cell);
}

function isNumeric(cell: unknown): boolean {
  return typeof cell === 'number' || typeof cell === 'bigint';
}
