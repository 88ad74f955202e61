/**
 * Brings every shard's schema up to date and creates the topics and partitions that are
 * missing, then ends. Safe to run again and beside running processes. The only one that is given a
 * user who may change tables.
 */
import { TOPIC_NAMES } from '@surety/contracts';
import { SHARD_URL, migrateShards } from '@surety/db';
import {
  ConfigurationError,
  createTopics,
  errorLine,
  kafkaCluster,
  kafkaShape,
  parseEnvironment,
  settings,
} from '@surety/runtime';

/** EX_CONFIG of sysexits.h, as the processes have it. */
const EXIT_CONFIGURATION = 78;
const EXIT_FAILED = 1;

const shape = {
  SURETY_MIGRATION_SHARDS: settings.shards(SHARD_URL),
  ...kafkaShape,
  SURETY_PARTITIONS: settings.partitions(),
};

function say(line) {
  process.stdout.write(`${line}\n`);
}

function complain(line) {
  process.stderr.write(`${line}\n`);
}

async function migrate(environment) {
  const values = parseEnvironment(shape, environment);
  const { SURETY_MIGRATION_SHARDS: urls, SURETY_PARTITIONS: partitions } = values;
  const kafka = kafkaCluster(values);
  await migrateShards(urls, { log: say });
  say(`${urls.length} shard(s) up to date`);
  await makeTopics(kafka, partitions);
  say(`topics there: ${TOPIC_NAMES.join(', ')}`);
}

async function makeTopics(kafka, partitions) {
  try {
    await createTopics({ ...kafka, topics: TOPIC_NAMES, partitions });
  } catch (cause) {
    throw new Error(`Kafka (${kafka.brokers.join(', ')})`, { cause });
  }
}

try {
  await migrate(process.env);
} catch (error) {
  if (error instanceof ConfigurationError) {
    complain('migrate cannot start, its environment is wrong:');
    for (const mistake of error.mistakes) complain(`  - ${mistake}`);
    process.exitCode = EXIT_CONFIGURATION;
  } else {
    // What a server says is for whoever runs this; a stack would be of our code.
    complain(`migrate: ${errorLine(error)}`);
    process.exitCode = EXIT_FAILED;
  }
}
