/**
 * Backing services of the test run in containers that end with it, through testcontainers. Needs
 * the installed npm packages and a Docker engine.
 */
import { IMAGES, kafkaEnvironment } from './docker.mjs';
import { findFreePort } from './ports.mjs';
import { untilMySqlAccepts } from './provision.mjs';
import { sqlSettings } from './sql-settings.mjs';

const MARIADB_IMAGE = 'mariadb:11.4';
const PASSWORD = 'surety-tests';
const START_DEADLINE_MS = 180_000;

/**
 * @param {'mariadb' | 'mysql'} engine
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startSqlContainer(engine) {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(engine === 'mysql' ? IMAGES.mysql : MARIADB_IMAGE)
    .withEnvironment({ MYSQL_ROOT_PASSWORD: PASSWORD, MYSQL_ROOT_HOST: '%' })
    .withCommand(sqlSettings(engine))
    .withExposedPorts(3306)
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(START_DEADLINE_MS)
    .start();
  const url = `mysql://root:${PASSWORD}@127.0.0.1:${container.getMappedPort(3306)}`;
  await untilMySqlAccepts(url);
  return { url, stop: () => container.stop().then(() => undefined) };
}

/** @returns {Promise<{ url: string, stop: () => Promise<void> }>} */
export async function startKafkaContainer() {
  const { GenericContainer, Wait } = await import('testcontainers');
  // The broker tells clients its address, so the published port is chosen before it starts.
  const port = await findFreePort();
  const container = await new GenericContainer(IMAGES.kafka)
    .withEnvironment(kafkaEnvironment(port))
    .withExposedPorts({ container: 9092, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(START_DEADLINE_MS)
    .start();
  return { url: `127.0.0.1:${port}`, stop: () => container.stop().then(() => undefined) };
}

/** @returns {Promise<{ url: string, stop: () => Promise<void> }>} */
export async function startRedisContainer() {
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer(IMAGES.redis).withExposedPorts(6379).start();
  const url = `redis://127.0.0.1:${container.getMappedPort(6379)}`;
  return { url, stop: () => container.stop().then(() => undefined) };
}
