/** The JSON pointer (RFC 6901, section 3) to what lies at the end of the path; empty for the whole. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
