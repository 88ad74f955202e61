import {
  ConfigurationError,
  commonShape,
  kafkaCluster,
  parseEnvironment,
  settings,
} from '@surety/runtime';
import type { KafkaCluster } from '@surety/runtime';
import { SHARD_URL } from '@surety/db';
import { currencyTable } from '@surety/domain';
import type { CurrencyTable } from '@surety/domain';

const shape = {
  ...commonShape(SHARD_URL),
  PORT: settings.port(8080),
  SURETY_INGRESS_QUEUE_MAX: settings.positiveInteger(2000),
  /** Whether the steps of a batch that follow on the same shard are taken in its transaction. */
  SURETY_LOCAL_CHAINING: settings.onOrOff('on'),
};

type Environment = ReturnType<typeof parseEnvironment<typeof shape>>;

export interface IngressConfig extends Environment {
  readonly kafka: KafkaCluster;
  readonly currencies: CurrencyTable;
}

/** @throws ConfigurationError that lists every mistake */
export function readConfig(environment: NodeJS.ProcessEnv): IngressConfig {
  const parsed = parseEnvironment(shape, environment);
  const currencies = tableOf(parsed.SURETY_CURRENCIES);
  if (!currencies.has(parsed.SURETY_DEFAULT_CURRENCY)) {
    throw new ConfigurationError(['SURETY_DEFAULT_CURRENCY: is not a known currency']);
  }
  return { ...parsed, kafka: kafkaCluster(parsed), currencies };
}

function tableOf(custom: Environment['SURETY_CURRENCIES']): CurrencyTable {
  try {
    return currencyTable(custom);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([`SURETY_CURRENCIES: ${message}`]);
  }
}
