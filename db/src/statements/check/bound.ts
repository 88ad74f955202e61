/** Offending rows that one check statement answers with: enough to see a pattern. */
export const OFFENDERS_MAX = 100;
