/** The file of `--out`: what keeps a result out of it is known before anything is measured. */
import { accessSync, closeSync, constants, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Leaves an existing file as it is and none where there was none: a run may fail before its result.
 * @param {string} file
 * @throws Error in one line, where it cannot be written
 */
export function refuseUnwritable(file) {
  try {
    const known = statSync(file, { throwIfNoEntry: false });
    if (known?.isDirectory()) throw new Error('it is a folder');
    if (known) accessSync(file, constants.W_OK);
    else tryAndRemove(file);
  } catch (error) {
    throw new Error(`--out ${file}: ${whyNot(file, error)}`, { cause: error });
  }
}

/** Only an attempt tells: root may write to any folder by its rights, and not to all in fact. */
function tryAndRemove(file) {
  closeSync(openSync(file, 'wx'));
  rmSync(file);
}

function whyNot(file, error) {
  const folder = statSync(dirname(file), { throwIfNoEntry: false });
  return folder?.isDirectory() ? error.message : `there is no folder ${dirname(file)}`;
}
