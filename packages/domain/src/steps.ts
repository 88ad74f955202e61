/**
 * Step numbers leave room for later steps and order the status projection. Two events that exclude
 * each other (credited and voided) share a number, so that the key (transfer_id, step) excludes them.
 */
export const STEP = { request: 10, hold: 20, decide: 30, end: 40 } as const;

export type Step = (typeof STEP)[keyof typeof STEP];
