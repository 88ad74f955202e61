/** The environment does not describe a process that can run. `mistakes` lists every one of them. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`the environment has ${mistakes.length} mistake(s): ${mistakes.join('; ')}`);
    this.mistakes = mistakes;
  }
}
