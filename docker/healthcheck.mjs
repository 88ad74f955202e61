/**
 * For an engine that checks health with a command: exit 0 while the process in this container is
 * ready, else 1 with the answer in the health log. Asks the port that the process was given, so a
 * process other than ingress needs SURETY_ADMIN_PORT: with "any free port" nobody could find it.
 */
const ANSWER_MS = 4_000;

const { SURETY_ADMIN_PORT, PORT } = process.env;
const port = SURETY_ADMIN_PORT || PORT || '8080';

try {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  process.stdout.write(`${response.status} ${await response.text()}\n`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`no answer on port ${port}: ${error.cause?.code ?? error.message}\n`);
  process.exitCode = 1;
}
