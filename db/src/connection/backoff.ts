const FIRST_MS = 4;
const CAP_MS = 250;

/** Full jitter under a rising cap: those who collided do not meet again at the same moment. */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(CAP_MS, FIRST_MS * 2 ** attempt);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
