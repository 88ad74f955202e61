/** Of a spec's own topics. Specs that write messages by hand know that there are sixteen. */
export const TEST_PARTITIONS = 16;
