/** Children that do one thing and end: npm, Maven, the compiler, jest. Ended with the launcher. */
const children = new Set();

/** @template {import('node:child_process').ChildProcess} T @param {T} child @returns {T} */
export function track(child) {
  children.add(child);
  child.once('close', () => children.delete(child));
  child.once('error', () => children.delete(child));
  return child;
}

/** A terminal's Ctrl-C has reached them already; a signal to the launcher alone has not. */
export function endTrackedChildren() {
  for (const child of children) child.kill('SIGTERM');
}
