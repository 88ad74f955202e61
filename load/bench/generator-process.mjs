/** The generator's process, asked over its channel. */
import { fork } from 'node:child_process';
import { join } from 'node:path';

export class GeneratorProcess {
  #child;
  #nextId = 1;
  #waiting = new Map();

  /** @param {string} execPath the Node that it runs with */
  constructor(execPath) {
    const stdio = 'inherit';
    this.#child = fork(join(import.meta.dirname, 'generator.mjs'), { stdio, execPath });
    this.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`the load generator ended by itself (code ${code})`));
      }
      this.#waiting.clear();
    });
  }

  ask(action, options) {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, action, options });
    });
  }

  end() {
    if (this.#child.connected) this.#child.disconnect();
  }
}
